using Kintsugi.Lab;
using Kintsugi.Postgres.Tests.Checks.Storage;
using Kintsugi.Postgres.Tests.Fixtures;
using Kintsugi.Postgres.Tests.Healing;
using Kintsugi.State;
using Npgsql;

namespace Kintsugi.Postgres.Tests.Repairs;

/// <summary>A table whose file is gone goes to a person, with ways back that are walked here as they are told.</summary>
public sealed class LostFileTests(Servers servers) : IDisposable
{
    private readonly string state = Directory.CreateTempSubdirectory("kintsugi-lost-file-").FullName;
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(state, recursive: true);

    private Treatment Treat(TestDatabase database)
    {
        StateDirectory.Open(state);
        return new Treatment(database.ConnectionString, database.Cluster.DataDirectory, state)
        {
            Checks = ["pages"],
            Policy = new Policy { Consent = true, Allow = Grade.Reversible },
        };
    }

    [Theory, MemberData(nameof(TestMajors.Ends), MemberType = typeof(TestMajors))]
    public async Task A_deleted_file_that_a_process_has_open_comes_back_as_the_case_says(int major)
    {
        await using var database = await servers.Cluster(major, Token);
        var before = await database.Fingerprint(Token);
        await database.Execute("CHECKPOINT", Token);
        await using var holder = new NpgsqlConnection(database.ConnectionString + ";Pooling=false");
        await holder.OpenAsync(Token);
        await using (var read = new NpgsqlCommand("SELECT count(*) FROM movies", holder))
            await read.ExecuteScalarAsync(Token);
        var file = await StorageWard.FileOf(database, "movies", Token);
        File.Delete(file);

        var done = Assert.Single(await Treat(database).Run(Token), done => done.Case.Fault == Faults.FileMissing);

        Assert.True(done.Outcome is Outcome.Escalated, done.Outcome.Word);
        Assert.Contains("ls -l /proc/[0-9]*/fd", done.Outcome.Why, StringComparison.Ordinal);
        Assert.Contains("restore_command", done.Outcome.Why, StringComparison.Ordinal);
        var open = Directory.EnumerateFileSystemEntries($"/proc/{holder.ProcessID}/fd").First(descriptor => new FileInfo(descriptor).LinkTarget == $"{file} (deleted)");
        File.Copy(open, file);
        await servers.Laboratory.Account.Own(file, Token);
        await holder.CloseAsync();
        await database.Cluster.Stop(StopMode.Fast, Token);
        await database.Cluster.Start(Token);
        Assert.True(before.CompareWith(await database.Fingerprint(Token)).IsEmpty);
        Assert.Empty((await Treat(database).Look(Token)).Findings);
    }

    [Theory, MemberData(nameof(TestMajors.Ends), MemberType = typeof(TestMajors))]
    public async Task An_unlogged_table_without_its_init_forks_gets_them_and_is_emptied_after_a_crash_as_it_should(int major)
    {
        await using var database = await servers.Cluster(major, Token);
        await database.Execute("CREATE UNLOGGED TABLE light (id int PRIMARY KEY, body text)", Token);
        await database.Execute("INSERT INTO light SELECT g, repeat('x', g) FROM generate_series(1, 500) g", Token);
        if (major >= 15)
            await database.Execute("CREATE UNLOGGED SEQUENCE counter; SELECT nextval('counter') FROM generate_series(1, 40)", Token);
        var before = await database.Fingerprint(Token);
        var lost = new List<string>();
        foreach (var relation in new[] { "light", "light_pkey", await database.Scalar<string>("SELECT reltoastrelid::regclass::text FROM pg_class WHERE relname = 'light'", Token), "counter" })
            if (relation != "counter" || major >= 15)
                lost.Add(await StorageWard.FileOf(database, relation!, Token) + "_init");
        var mode = File.GetUnixFileMode(lost[0]);
        lost.ForEach(File.Delete);

        var cases = await Treat(database).Run(Token);

        Assert.Equal(lost.Count, cases.Count);
        Assert.All(cases, done => Assert.True(done.Outcome is Outcome.Healed or Outcome.Transient, $"{done.Case.Target.Name}: {done.Outcome.Word} {done.Outcome.Why}"));
        Assert.Equal(2, cases.Count(done => done.Plan?.Steps[0].Kind == "restore-init-fork"));
        Assert.Empty((await Treat(database).Look(Token)).Findings);
        Assert.True(before.CompareWith(await database.Fingerprint(Token)).IsEmpty);
        Assert.Equal((0L, mode), (new FileInfo(lost[0]).Length, File.GetUnixFileMode(lost[0])));
        if (major >= 15)
            Assert.Equal(41L, await database.Scalar<long>("SELECT nextval('counter')", Token));
        await database.Cluster.Stop(StopMode.Immediate, Token);
        await database.Cluster.Start(Token);
        Assert.Equal(0L, await database.Scalar<long>("SELECT count(*) FROM light", Token));
        await database.Execute("INSERT INTO light SELECT g, repeat('x', g) FROM generate_series(1, 500) g", Token);
        Assert.True(await database.Scalar<bool>("SELECT count(*) = 500 AND sum(length(body)) = 125250 FROM light WHERE id > 0", Token));
        Assert.Empty((await Treat(database).Look(Token)).Findings);
    }
}
