using Kintsugi.Postgres.Connecting;

namespace Kintsugi.Engine.Tests.Connecting;

/// <summary>Which of two places wins.</summary>
public sealed class PrecedenceTests
{
    private static readonly ConnectionRequest Flags = new() { Host = "flag", Port = "1", User = "flagged" };

    [Fact]
    public void Nothing_at_all_means_this_user_at_the_default_socket()
    {
        Assert.Equal("ann@localhost:5432/ann", new Pretended().Resolve().ToString());
        Assert.Equal(
            "ann@/tmp/.s.PGSQL.5432/ann", new Pretended().File("/tmp/.s.PGSQL.5432").Resolve().ToString());
        Assert.Equal(
            "ann@/var/run/postgresql/.s.PGSQL.5432/ann",
            new Pretended().File("/tmp/.s.PGSQL.5432").File("/var/run/postgresql/.s.PGSQL.5432").Resolve().ToString());
        Assert.Equal(
            "ann@/tmp/.s.PGSQL.6000/ann",
            new Pretended().File("/tmp/.s.PGSQL.6000").File("/var/run/postgresql/.s.PGSQL.5432")
                .Resolve(new ConnectionRequest { Port = "6000" }).ToString());
    }

    [Fact]
    public void The_connection_string_wins_over_flags_as_in_psql()
    {
        Assert.Equal("flagged@string:1/ann2", new Pretended().Resolve(Flags with { Databases = ["host=string dbname=ann2"] }).ToString());
        Assert.Equal("bob@string:2/bob", new Pretended().Resolve(Flags with { Databases = ["postgresql://bob@string:2"] }).ToString());
    }

    [Fact]
    public void Flags_win_over_the_service_and_that_over_the_environment()
    {
        var around = new Pretended()
            .File("/home/ann/.pg_service.conf", "[x]\nhost=other\n[s]\n# ours\nhost=service\nport=3\n[y]\nuser=nobody")
            .Variable("PGSERVICE", "s").Variable("PGHOST", "env").Variable("PGUSER", "envuser").Variable("PGDATABASE", "envdb");

        Assert.Equal("envuser@service:3/envdb", around.Resolve().ToString());
        Assert.Equal("flagged@flag:1/envdb", around.Resolve(Flags).ToString());
        Assert.Equal("envuser@service:3/app", around.Resolve("service=s dbname=app").ToString());
    }

    [Fact]
    public void The_configuration_file_comes_below_flags_and_above_the_environment()
    {
        var around = new Pretended().Variable("PGHOST", "env").Variable("PGPORT", "4").Variable("PGUSER", "envuser");
        var request = new ConnectionRequest { FileConnection = "host=file hostaddr=10.0.0.9 dbname=app port=5" };

        Assert.Equal("envuser@10.0.0.9:5/app", around.Resolve(request).ToString());
        Assert.Equal("envuser@flag:5/app", around.Resolve(request with { Host = "flag" }).ToString());
        Assert.Equal("envuser@10.0.0.9:5/other", around.Resolve(request with { Databases = ["other"] }).ToString());
    }

    [Fact]
    public void Several_databases_are_names_on_one_server()
    {
        var settings = new Pretended().Resolve("app", "host=h", "other");

        Assert.Equal("ann@h:5432/app", settings.ToString());
        Assert.Equal(["app", "other"], settings.Databases);
        Assert.Contains("once", new Pretended().Refusal("host=a", "host=b"), StringComparison.Ordinal);
    }

    [Fact]
    public void The_service_file_of_the_system_is_read_when_the_users_has_no_such_service()
    {
        var around = new Pretended()
            .File("/home/ann/.pg_service.conf", "[mine]\nhost=a")
            .File("/etc/sys/pg_service.conf", "[theirs]\nhost=b").Variable("PGSYSCONFDIR", "/etc/sys");

        Assert.Equal("ann@b:5432/ann", around.Resolve("service=theirs").ToString());
        Assert.Equal("ann@a:5432/ann", around.Resolve("postgresql://?service=mine").ToString());
        Assert.Contains("/etc/sys/pg_service.conf", around.Refusal("service=no"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("[s]\nhost = h", "without blanks")]
    [InlineData("[s]\nnonsense=h", "option=value")]
    [InlineData("[s]\nservice=t", "cannot name another")]
    [InlineData("[s]\nldap://x/y", "LDAP")]
    public void A_malformed_service_is_refused_by_file_and_line(string text, string hint)
    {
        var message = new Pretended().File("/f", text).Variable("PGSERVICEFILE", "/f").Refusal("service=s");

        Assert.Contains(hint, message, StringComparison.Ordinal);
        Assert.Contains("/f:2", message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_named_service_file_must_exist() =>
        Assert.Contains("PGSERVICEFILE", new Pretended().Variable("PGSERVICEFILE", "/gone").Refusal("service=s"), StringComparison.Ordinal);
}
