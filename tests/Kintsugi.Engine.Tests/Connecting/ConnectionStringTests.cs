namespace Kintsugi.Engine.Tests.Connecting;

/// <summary>The golden table of what a connection argument means; psql agrees (see the comparison among the server tests).</summary>
public sealed class ConnectionStringTests
{
    [Theory]
    [InlineData("app", "ann@localhost:5432/app")]
    [InlineData("host=h", "ann@h:5432/ann")]
    [InlineData("host=h dbname=app user=bob port=6000", "bob@h:6000/app")]
    [InlineData("  host = h\tdbname\n=\rapp ", "ann@h:5432/app")]
    [InlineData(@"host=h dbname='two words' user='o\'hara'", "o'hara@h:5432/two words")]
    [InlineData(@"host=h dbname=back\\slash\ blank", @"ann@h:5432/back\slash blank")]
    [InlineData("host=h dbname='' user=''", "ann@h:5432/ann")]
    [InlineData("host=h dbname=a dbname=b", "ann@h:5432/b")]
    [InlineData("host=h dbname='a=b'", "ann@h:5432/a=b")]
    [InlineData("host=/run/pg port=6000", "ann@/run/pg/.s.PGSQL.6000/ann")]
    [InlineData("host=@abstract", "ann@@abstract/.s.PGSQL.5432/ann")]
    [InlineData("host=a,b,c port=1,2,3", "ann@a:1,b:2,c:3/ann")]
    [InlineData("host=a,b port=7", "ann@a:7,b:7/ann")]
    [InlineData("host=a,b port=7,", "ann@a:7,b:5432/ann")]
    [InlineData("host=a,,/s", "ann@a:5432,localhost:5432,/s/.s.PGSQL.5432/ann")]
    [InlineData("hostaddr=10.0.0.1", "ann@10.0.0.1:5432/ann")]
    [InlineData("host=name hostaddr=10.0.0.1", "ann@10.0.0.1:5432/ann")]
    [InlineData("host=::1 port=6000", "ann@[::1]:6000/ann")]
    [InlineData("host=h dbname=größe user=ü", "ü@h:5432/größe")]
    public void A_keyword_string_reads_as_in_psql(string given, string expected) =>
        Assert.Equal(expected, new Pretended().Resolve(given).ToString());

    [Theory]
    [InlineData("postgresql://", "ann@localhost:5432/ann")]
    [InlineData("postgres://h", "ann@h:5432/ann")]
    [InlineData("postgresql://h:6000", "ann@h:6000/ann")]
    [InlineData("postgresql://h:6000/app", "ann@h:6000/app")]
    [InlineData("postgresql:///app", "ann@localhost:5432/app")]
    [InlineData("postgresql://bob@h", "bob@h:5432/bob")]
    [InlineData("postgresql://bob:pw@h/app", "bob@h:5432/app")]
    [InlineData("postgresql://bob:@h/app", "bob@h:5432/app")]
    [InlineData("postgresql://@h/app", "ann@h:5432/app")]
    [InlineData("postgresql://:pw@h/app", "ann@h:5432/app")]
    [InlineData("postgresql://b%40b:p%2Fw@h/a%20p%25p", "b@b@h:5432/a p%p")]
    [InlineData("postgresql://[::1]:6000/app", "ann@[::1]:6000/app")]
    [InlineData("postgresql://[2001:db8::1]/app", "ann@[2001:db8::1]:5432/app")]
    [InlineData("postgresql://a:1,b,[::1]:3/app", "ann@a:1,b:5432,[::1]:3/app")]
    [InlineData("postgresql://%2Fvar%2Flib%2Fpg:6000/app", "ann@/var/lib/pg/.s.PGSQL.6000/app")]
    [InlineData("postgresql:///app?host=/var/lib/pg&port=6000", "ann@/var/lib/pg/.s.PGSQL.6000/app")]
    [InlineData("postgresql://h/app?user=bob&connect_timeout=3", "bob@h:5432/app")]
    [InlineData("postgresql://h?dbname=app", "ann@h:5432/app")]
    [InlineData("postgresql://h/a/b", "ann@h:5432/a/b")]
    [InlineData("postgresql://h/gr%C3%B6%C3%9Fe", "ann@h:5432/größe")]
    [InlineData("postgresql://h/😀%20größe", "ann@h:5432/😀 größe")]
    public void A_uri_reads_as_in_psql(string given, string expected) =>
        Assert.Equal(expected, new Pretended().Resolve(given).ToString());

    [Theory]
    [InlineData("postgresql://bob:p%40w@h/app", "p@w")]
    [InlineData("postgresql://bob@h/app?password=p%26w", "p&w")]
    [InlineData(@"host=h password='it\'s \\ mine'", @"it's \ mine")]
    [InlineData("host=h password=a password=b", "b")]
    public void The_password_is_decoded(string given, string expected)
    {
        var settings = new Pretended().Resolve(given);

        Assert.Equal(expected, settings.Password?.Reveal());
        Assert.Equal(Kintsugi.Postgres.Connecting.PasswordSource.ConnectionString, settings.PasswordSource);
    }

    [Theory]
    [InlineData("host=h hunter2", "character 8")]
    [InlineData("host=h password=my hunter2", "single quotes")]
    [InlineData("host=h password='hunter2", "never closed")]
    [InlineData("host=h hunter2=x", "not a connection option")]
    [InlineData("postgresql://bob:hunter2%zz@h/app", "two hexadecimal digits")]
    [InlineData("postgresql://bob:hunter2/more@h/app", "percent-code")]
    [InlineData("postgresql://bob:hunter2%00@h/app", "zero byte")]
    [InlineData("postgresql://h/app?hunter2", "name=value")]
    [InlineData("postgresql://h/app?password=hunter2=x", "%3D")]
    [InlineData("postgresql://h/app?hunter2=x", "not a connection option")]
    [InlineData("postgresql://[::1/app", "never closed")]
    [InlineData("postgresql://[]/app", "is empty")]
    [InlineData("postgresql://[::1]x/app", "cannot follow")]
    public void A_malformed_string_is_refused_without_repeating_it(string given, string hint)
    {
        var message = new Pretended().Refusal(given);

        Assert.Contains(hint, message, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", message, StringComparison.Ordinal);
    }
}
