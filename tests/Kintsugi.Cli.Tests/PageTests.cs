using Kintsugi.Cli.Tests.Fixtures;
using Kintsugi.Postgres.Tests.Fixtures;

namespace Kintsugi.Cli.Tests;

public sealed class PageTests(Servers servers)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_page_is_taken_apart_by_name_and_out_of_its_file()
    {
        using var terminal = new Terminal();
        await using var database = await servers.Database(TestMajors.Newest, Stop);
        await database.Execute("CHECKPOINT", Stop);
        var path = Path.Combine(
            database.Cluster.DataDirectory, (await database.Scalar<string>("SELECT pg_relation_filepath('movies')", Stop))!);

        var named = await terminal.On(database, "page", "public.movies", "1", "--format", "json");
        Assert.True(named.Code == ExitCodes.Sound, named.All);
        Assert.Equal(("heap", 1), (named.Json.GetProperty("kind").GetString(), named.Json.GetProperty("block").GetInt32()));
        Assert.Equal("btree", (await terminal.On(database, "page", "movies_pkey", "0", "--format", "json")).Json.GetProperty("kind").GetString());
        var text = await terminal.On(database, "page", "movies", "1", "--hex");
        Assert.Contains("pd_lower", text.Out, StringComparison.Ordinal);
        Assert.Contains("Nothing is wrong with it", text.Out, StringComparison.Ordinal);

        var copy = await File.ReadAllBytesAsync(path, Stop);
        copy[8192 + 5000] ^= 0x40;
        var damaged = terminal.PathOf("damaged");
        await File.WriteAllBytesAsync(damaged, copy, Stop);
        var wrong = await terminal.Run("page", damaged, "1", "--file");
        Assert.Equal(ExitCodes.Damage, wrong.Code);
        Assert.Contains("WRONG", wrong.Out, StringComparison.Ordinal);
        Assert.Contains("checksum", wrong.Out, StringComparison.OrdinalIgnoreCase);
        Assert.Equal(ExitCodes.Sound, (await terminal.Run("page", damaged, "0", "--file")).Code);

        var picture = await terminal.Run("page", damaged, "1", "--file", "--format", "html");
        Assert.Equal(ExitCodes.Damage, picture.Code);
        Assert.Contains("<p class=\"wrong\">WRONG: ", picture.Out, StringComparison.Ordinal);
        Assert.Contains("fill=\"#e53935\"", picture.Out, StringComparison.Ordinal);
        Assert.DoesNotContain("WRONG", (await terminal.Run("page", damaged, "0", "--file", "--format", "html")).Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Pages_that_are_not_there_are_refused()
    {
        using var terminal = new Terminal();
        await using var database = await servers.Database(TestMajors.Newest, Stop);
        (await terminal.On(database, "page", "public.movies", "999999")).MustRefuse("has no block 999999");
        (await terminal.On(database, "page", "no_such", "0")).MustRefuse("is called no_such");
        (await terminal.On(database, "page", "movies", "-1")).MustRefuse("a block number lies between");
        (await terminal.Run("page", terminal.PathOf("none"), "0", "--file")).MustRefuse("cannot be read");
    }

    [Theory]
    [InlineData("bash", "complete ")]
    [InlineData("zsh", "compdef")]
    [InlineData("fish", "complete -c kintsugi")]
    [InlineData("pwsh", "Register-ArgumentCompleter")]
    public async Task Every_shell_gets_its_completion(string shell, string words)
    {
        using var terminal = new Terminal();
        var said = await terminal.Run("completion", shell);
        Assert.Equal(ExitCodes.Sound, said.Code);
        Assert.Contains(words, said.Out, StringComparison.Ordinal);
        Assert.Contains("[suggest:", said.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_program_suggests_the_words_that_complete_a_line()
    {
        using var terminal = new Terminal();
        Assert.Contains("check", (await Executable.Run(terminal, Stop, "[suggest:2]", "ch")).Out.Split('\n'));
        Assert.Contains("--depth", (await Executable.Run(terminal, Stop, "[suggest:11]", "check --dep")).Out.Split('\n'));
    }
}
