using Kintsugi.Postgres.Connecting;

namespace Kintsugi.Engine.Tests.Connecting;

public sealed class PasswordTests
{
    private const string File = "/home/ann/.pgpass";

    [Theory]
    [InlineData("h:5432:app:ann:secret", "secret")]
    [InlineData("*:*:*:*:secret", "secret")]
    [InlineData("other:*:*:*:no\nh:*:*:*:first\n*:*:*:*:second", "first")]
    [InlineData("#h:*:*:*:comment\nh:*:app:*:secret", "secret")]
    [InlineData(@"h:*:*:*:with\:colon\\and", @"with:colon\and")]
    [InlineData("h:*:*:*:secret:rest", "secret")]
    [InlineData(@"\*:*:*:*:literal", null)]
    [InlineData("h:5433:*:*:no", null)]
    [InlineData("h:*:*:bob:no", null)]
    [InlineData("h:*:*", null)]
    [InlineData("h:*:*:*:\n*:*:*:*:next", "next")]
    public void The_first_matching_line_of_the_password_file_counts(string text, string? expected)
    {
        var settings = new Pretended().File(File, text).Resolve("host=h dbname=app");

        Assert.Equal(expected, settings.Password?.Reveal());
        Assert.Equal(expected is null ? PasswordSource.None : PasswordSource.PasswordFile, settings.PasswordSource);
    }

    [Fact]
    public void The_default_socket_directory_is_called_localhost_in_the_password_file()
    {
        var around = new Pretended().File(File, "localhost:*:*:*:local\n/run/pg:*:*:*:there");

        Assert.Equal("local", around.Resolve("host=/var/run/postgresql").Password?.Reveal());
        Assert.Equal("there", around.Resolve("host=/run/pg").Password?.Reveal());
    }

    [Fact]
    public void With_an_address_the_host_name_is_looked_up() =>
        Assert.Equal("named", new Pretended().File(File, "h:*:*:*:named").Resolve("host=h hostaddr=10.0.0.1").Password?.Reveal());

    [Fact]
    public void A_password_file_that_others_can_read_is_ignored_with_a_warning()
    {
        var settings = new Pretended().File(File, "*:*:*:*:secret", openToOthers: true).Resolve("host=h");

        Assert.Null(settings.Password);
        Assert.Contains("chmod 0600", Assert.Single(settings.Warnings), StringComparison.Ordinal);
    }

    [Fact]
    public void Hosts_with_different_passwords_leave_the_look_up_to_the_driver()
    {
        var settings = new Pretended().File(File, "a:*:*:*:one\nb:*:*:*:two").Resolve("host=a,b");

        Assert.Null(settings.Password);
        Assert.Equal(File, settings.PasswordFile);
        Assert.Equal(File, settings.ToDriver(pooling: false).Passfile);
    }

    [Fact]
    public void The_connection_string_wins_over_the_variable_and_that_over_the_file()
    {
        var around = new Pretended().File(File, "*:*:*:*:file").Variable("PGPASSWORD", "variable");

        Assert.Equal("string", around.Resolve("host=h password=string").Password?.Reveal());
        Assert.Equal("variable", around.Resolve("host=h").Password?.Reveal());
        Assert.Equal("file", around.Variable("PGPASSWORD", "").Resolve("host=h").Password?.Reveal());
        Assert.Equal("elsewhere", around.Variable("PGPASSFILE", "/p").File("/p", "*:*:*:*:elsewhere").Resolve("host=h").Password?.Reveal());
    }

    [Fact]
    public void No_text_of_the_settings_holds_the_password()
    {
        var settings = new Pretended().Resolve("host=h password=hunter2 sslpassword=hunter2");

        Assert.DoesNotContain("hunter2", settings.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", settings.Ssl.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", $"{settings.Password}", StringComparison.Ordinal);
        Assert.Equal("hunter2", settings.ToDriver(pooling: false).Password);
    }

    [Fact]
    public void A_typed_password_replaces_any_other()
    {
        var settings = new Pretended().File(File, "a:*:*:*:one\nb:*:*:*:two").Resolve("host=a,b").WithTypedPassword(new("typed"));

        Assert.Equal("typed", settings.ToDriver(pooling: false).Password);
        Assert.Null(settings.PasswordFile);
    }
}
