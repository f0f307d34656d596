using Kintsugi.State;
using Xunit;

namespace Kintsugi.Engine.Tests.State;

public sealed class StateDirectoryTests : IDisposable
{
    private readonly string root = Directory.CreateTempSubdirectory("kintsugi-state-").FullName;

    public void Dispose() => Directory.Delete(root, recursive: true);

    [Theory]
    [InlineData("/named", "KINTSUGI_STATE=/own HOME=/home/ada", "/named")]
    [InlineData(null, "KINTSUGI_STATE=/own XDG_STATE_HOME=/xdg HOME=/home/ada", "/own")]
    [InlineData(null, "XDG_STATE_HOME=/xdg HOME=/home/ada", "/xdg/kintsugi")]
    [InlineData(null, "XDG_STATE_HOME=relative HOME=/home/ada", "/home/ada/.local/state/kintsugi")]
    [InlineData(null, "HOME=/home/ada", "/home/ada/.local/state/kintsugi")]
    [InlineData(null, "", "/var/lib/kintsugi")]
    public void It_is_looked_for_in_a_fixed_order(string? named, string environment, string expected)
    {
        var variables = environment.Split(' ', StringSplitOptions.RemoveEmptyEntries)
            .Select(pair => pair.Split('=')).ToDictionary(
            p => p[0], p => p[1]);

        Assert.Equal(expected, StateDirectory.Locate(named, variables.GetValueOrDefault));
    }

    [Fact]
    public void A_directory_that_cannot_be_made_is_one_message_with_the_next_step()
    {
        var file = Path.Combine(root, "file");
        File.WriteAllText(file, "in the way");

        var problem = Assert.Throws<StateException>(() => StateDirectory.Open(Path.Combine(file, "state")));

        Assert.Contains("$KINTSUGI_STATE", problem.Message);
        Assert.Equal("in the way", File.ReadAllText(file));
    }

    [Fact]
    public void An_open_directory_that_serves_other_purposes_is_left_as_it_is()
    {
        var shared = Directory.CreateDirectory(Path.Combine(root, "shared")).FullName;
        File.SetUnixFileMode(shared, (UnixFileMode)0b111_101_101);
        File.WriteAllText(Path.Combine(shared, "letter"), "of somebody");

        var opened = StateDirectory.Open(shared);
        using (SqliteLedger.Open(opened))
        {
        }

        Assert.Equal((UnixFileMode)0b111_101_101, File.GetUnixFileMode(shared));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(opened.Ledger));
    }

    [Fact]
    public void An_empty_open_directory_is_closed_to_others()
    {
        var empty = Directory.CreateDirectory(Path.Combine(root, "empty")).FullName;
        File.SetUnixFileMode(empty, (UnixFileMode)0b111_101_101);

        StateDirectory.Open(empty);

        Assert.Equal((UnixFileMode)0b111_000_000, File.GetUnixFileMode(empty));
        Assert.Empty(Directory.GetFileSystemEntries(empty));
    }
}
