using System.Globalization;
using Kintsugi.Cli.Tests.Fixtures;
using Kintsugi.Lab.Damage;
using Kintsugi.Postgres.Forensics;
using Kintsugi.Postgres.Tests.Fixtures;

namespace Kintsugi.Cli.Tests;

/// <summary>What is gathered about a case is whole, for its owner alone, and holds no secret.</summary>
public sealed class BundleTests(Servers servers)
{
    private const UnixFileMode Others = (UnixFileMode)0b000_111_111;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_damaged_page_comes_with_its_neighbours_the_servers_state_and_no_password()
    {
        using var terminal = new Terminal();
        await using var own = await servers.Cluster(TestMajors.Newest, Stop);
        var injury = Injuries.Named("heap-page-torn");
        await own.Cluster.Execute("postgres", "ALTER SYSTEM SET primary_conninfo = 'host=x password=hidden1'", Stop);
        await own.Cluster.Execute("postgres", "ALTER ROLE postgres IN DATABASE postgres SET application_name = 'postgres://u:hidden2@x/db'", Stop);
        await own.Cluster.Execute("postgres", "SELECT pg_reload_conf()", Stop);
        await Injury.Inflict(own.Cluster, own.Name, [injury], Stop);
        string[] place = ["-D", own.Cluster.DataDirectory];
        await terminal.On(own, ["heal", "--only", "pages", .. place]);
        var row = (await terminal.Run("cases", "--format", "json")).Json.GetProperty("cases")[0];
        var id = row.GetProperty("id").GetString()!;
        var path = terminal.PathOf("bundle");

        var said = await terminal.Run(["cases", "bundle", id, "--out", path, .. Terminal.Door(own), "-d", own.Name, .. place]);

        Assert.True(said.Code == ExitCodes.Sound, said.All);
        var files = Directory.EnumerateFiles(path, "*", SearchOption.AllDirectories).ToList();
        Assert.All(files.Append(path).Concat(Directory.EnumerateDirectories(path)), file => Assert.Equal(UnixFileMode.None, File.GetUnixFileMode(file) & Others));
        Assert.Equal(files.Count.ToString(CultureInfo.InvariantCulture), said.Out.Split(": ")[1].Split(' ')[0]);
        foreach (var name in new[] { "README.txt", "case.json", "server/settings.txt", "server/pg_control", "server/wal.txt", "server/versions.txt", "server/log-end.txt" })
            Assert.NotEqual(0, new FileInfo(Path.Combine(path, name)).Length);
        var pages = files.Where(file => file.EndsWith(".page", StringComparison.Ordinal)).ToList();
        Assert.InRange(pages.Count, 2, 3);
        Assert.All(pages, page => Assert.Equal(8192, new FileInfo(page).Length));
        Assert.Contains(files.Where(file => file.Contains("/pages/", StringComparison.Ordinal) && file.EndsWith(".txt", StringComparison.Ordinal)),
            file => File.ReadAllText(file).Contains("WRONG", StringComparison.Ordinal));
        var texts = string.Concat(files.Where(file => !file.EndsWith(".page", StringComparison.Ordinal)).Select(File.ReadAllText));
        Assert.Contains("shared_buffers", texts, StringComparison.Ordinal);
        Assert.Contains("insert_lsn", texts, StringComparison.Ordinal);
        Assert.DoesNotContain("hidden1", texts, StringComparison.Ordinal);
        Assert.DoesNotContain("hidden2", texts, StringComparison.Ordinal);
        Assert.DoesNotContain("not to be had", texts, StringComparison.Ordinal);
        (await terminal.Run(["cases", "bundle", id, "--out", path, .. Terminal.Door(own), "-d", own.Name])).MustRefuse("exists already");
    }

    [Theory]
    [InlineData("host=a password=secret1 dbname=b", "host=a password=(redacted) dbname=b")]
    [InlineData("ALTER ROLE x PASSWORD 'a''secret1' VALID", "ALTER ROLE x PASSWORD (redacted) VALID")]
    [InlineData("postgresql://me:secret1@host/db", "postgresql://me:(redacted)@host/db")]
    [InlineData("""{"pwd": "secret1", "x": 1}""", """{"pwd": (redacted), "x": 1}""")]
    [InlineData("password authentication failed for user \"me\"", "password authentication failed for user \"me\"")]
    public void Passwords_are_taken_out_and_nothing_else(string text, string expected) => Assert.Equal(expected, Redaction.Text(text));
}
