using Kintsugi.Postgres.Connecting;
using Npgsql;

namespace Kintsugi.Engine.Tests.Connecting;

/// <summary>What reaches the driver: encryption, sessions, refusals.</summary>
public sealed class DriverSettingsTests
{
    [Theory]
    [InlineData("disable", SslMode.Disable)]
    [InlineData("allow", SslMode.Allow)]
    [InlineData("prefer", SslMode.Prefer)]
    [InlineData("require", SslMode.Require)]
    public void The_sslmode_is_libpqs(string given, SslMode expected)
    {
        Assert.Equal(expected, new Pretended().Variable("PGSSLMODE", given).Resolve("host=h").ToDriver(false).SslMode);
        Assert.Equal(SslMode.Disable, new Pretended().Variable("PGSSLMODE", given).Resolve("host=/run/pg").ToDriver(false).SslMode);
    }

    [Theory]
    [InlineData("require", SslMode.VerifyCA)]
    [InlineData("verify-ca", SslMode.VerifyCA)]
    [InlineData("verify-full", SslMode.VerifyFull)]
    public void A_root_certificate_makes_require_prove_the_authority(string given, SslMode expected)
    {
        var driver = new Pretended().File("/home/ann/.postgresql/root.crt").Resolve($"host=h sslmode={given}").ToDriver(false);

        Assert.Equal(expected, driver.SslMode);
        Assert.Equal("/home/ann/.postgresql/root.crt", driver.RootCertificate);
    }

    [Fact]
    public void The_authorities_of_the_system_need_the_full_proof()
    {
        var around = new Pretended().File("/etc/ssl/certs/ca-certificates.crt");

        Assert.Equal(SslMode.VerifyFull, around.Resolve("host=h sslrootcert=system").ToDriver(false).SslMode);
        Assert.Equal("/etc/ssl/certs/ca-certificates.crt", around.Resolve("host=h sslrootcert=system").Ssl.RootCertificate);
        Assert.Contains("too weak", around.Refusal("host=h sslrootcert=system sslmode=require"), StringComparison.Ordinal);
    }

    [Fact]
    public void Sessions_carry_our_name_and_no_pool_by_choice()
    {
        var driver = new Pretended().Variable("PGAPPNAME", "x").Variable("PGCLIENTENCODING", "LATIN1")
            .Variable("PGOPTIONS", "-c geqo=off").Variable("PGCONNECT_TIMEOUT", "1").Resolve("host=h").ToDriver(pooling: false);

        Assert.Equal("kintsugi", driver.ApplicationName);
        Assert.Equal("UTF8", driver.ClientEncoding);
        Assert.Equal("-c geqo=off", driver.Options);
        Assert.Equal(2, driver.Timeout);
        Assert.False(driver.Pooling);
        Assert.True(new Pretended().Resolve("host=h").ToDriver(pooling: true).Pooling);
    }

    [Fact]
    public void A_list_of_hosts_keeps_its_ports_and_session_attributes()
    {
        var driver = new Pretended()
            .Resolve("postgresql://a:1,[::1]:2/app?target_session_attrs=read-write&load_balance_hosts=random").ToDriver(false);

        Assert.Equal("a:1,[::1]:2", driver.Host);
        Assert.Equal("read-write", driver.TargetSessionAttributes);
        Assert.True(driver.LoadBalanceHosts);
    }

    [Fact]
    public void Hostile_names_reach_the_driver_whole()
    {
        var driver = new Pretended().Resolve("""host=h dbname='we;ird"name' user='a=b;c' password='p;"w'""").ToDriver(false);
        var back = new NpgsqlConnectionStringBuilder(driver.ConnectionString);

        Assert.Equal("we;ird\"name", back.Database);
        Assert.Equal("a=b;c", back.Username);
        Assert.Equal("p;\"w", back.Password);
    }

    [Theory]
    [InlineData("host=h port=0", "between 1 and 65535")]
    [InlineData("host=h port=65536", "between 1 and 65535")]
    [InlineData("host=h port=x", "whole number")]
    [InlineData("host=a,b port=1,2,3", "3 ports")]
    [InlineData("host=a,b hostaddr=10.0.0.1", "2 hosts")]
    [InlineData("host=h sslmode=on", "verify-full")]
    [InlineData("host=h target_session_attrs=primry", "prefer-standby")]
    [InlineData("host=h connect_timeout=soon", "whole number")]
    [InlineData("host=h requirepeer=postgres", "cannot honour")]
    [InlineData("host=h sslcrl=/x", "cannot honour")]
    [InlineData("host=h sslmode=verify-full", "root certificate")]
    [InlineData("host=h ssl_min_protocol_version=TLSv1.3", "cannot be enforced")]
    [InlineData("host=/run,h sslmode=require", "cannot mix")]
    public void What_cannot_be_is_refused_with_the_way_out(string given, string hint) =>
        Assert.Contains(hint, new Pretended().Refusal(given), StringComparison.Ordinal);

    [Theory]
    [InlineData("scram-sha-256", "ScramSHA256")]
    [InlineData("md5,scram-sha-256", "MD5,ScramSHA256")]
    [InlineData("!password,!none", "!Password,!None")]
    public void The_ways_to_authenticate_are_kept(string given, string expected) =>
        Assert.Equal(expected, new Pretended().Resolve($"host=h require_auth={given}").ToDriver(false).RequireAuth);

    [Theory]
    [InlineData("kerberos")]
    [InlineData("password,!none")]
    public void An_unknown_way_to_authenticate_is_refused(string given) =>
        Assert.Contains("scram-sha-256", new Pretended().Refusal($"host=h require_auth={given}"), StringComparison.Ordinal);
}
