using Kintsugi.Lab;
using Kintsugi.Lab.Damage;
using Kintsugi.Postgres.Tests.Fixtures;
using Kintsugi.State;

namespace Kintsugi.Server.Tests;

/// <summary>A person at the command line beside several nodes: one ledger for all of them.</summary>
public sealed class SharedLedgerCommandsTests(Servers servers)
{
    private const string Orphans = "SELECT count(*) FROM movie_genres c WHERE NOT EXISTS (SELECT FROM movies p WHERE p.id = c.movie_id)";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Healing_approving_and_undoing_by_hand_are_kept_in_the_ledger_of_the_nodes()
    {
        await using var ledger = await servers.Cluster(TestMajors.Newest, new ClusterOptions { Checksums = false }, Stop);
        await using var patient = await servers.Database(TestMajors.Newest, Stop);
        await Injury.Inflict(patient.Cluster, patient.Name, [new OrphanSingle()], Stop);
        // The proof of the orphans asks the index that is injured then.
        await Injury.Inflict(patient.Cluster, patient.Name, [new BTreeEntryMissing()], Stop);
        await using var person = new Service { Ledger = ledger.ConnectionString };
        person.Write("targets:\n" + Service.Target(patient) + Service.SharedLedger(ledger));

        // What loses nothing is done; rows wait for a word.
        var healed = await person.Run("heal", "-c", person.ConfigurationFile, "--yes");
        Assert.True(healed.Code == 2, healed.Out);
        var rows = await person.Cases();
        Assert.Equal("healed", Assert.Single(rows, row => row.Object == "public.movies_pkey").State);
        var orphans = Assert.Single(rows, row => row.Fault == "row-orphaned");
        Assert.True(orphans.State == "waiting", healed.Out);
        Assert.Equal(3, await patient.Scalar<long>(Orphans, Stop));

        var approved = await person.Run("cases", "approve", orphans.Id, "-c", person.ConfigurationFile, "--because", "leftovers of the import");
        Assert.True(approved.Code == 0, approved.Out);
        var treated = await person.Run("heal", "-c", person.ConfigurationFile, "--case", orphans.Id, "--yes");
        Assert.True(treated.Code == 0, treated.Out);
        Assert.Equal(0, await patient.Scalar<long>(Orphans, Stop));
        Assert.Equal("healed", (await person.Cases()).Single(row => row.Id == orphans.Id).State);

        var refused = await person.Run("undo", orphans.Id, "-c", person.ConfigurationFile);
        Assert.Contains("this stands against it", refused.Out, StringComparison.Ordinal);
        await patient.Execute("INSERT INTO movies (id, title, shelf_title, catalogue_number) SELECT n, 'found again', 'found again', -n FROM generate_series(8000001, 8000003) n", Stop);
        var undone = await person.Run("undo", orphans.Id, "-c", person.ConfigurationFile);
        Assert.True(undone.Code == 0, undone.Out);
        Assert.Contains("3 rows put back", undone.Out, StringComparison.Ordinal);
        Assert.Equal(3, await patient.Scalar<long>("SELECT count(*) FROM movie_genres WHERE movie_id > 8000000", Stop));
        Assert.Equal("undone", (await person.Cases()).Single(row => row.Id == orphans.Id).State);
        await using var kept = PostgresLedger.Open(ledger.ConnectionString);
        Assert.Empty(await kept.Verify(Stop));
        // Nothing of it lies in this machine's own ledger.
        Assert.False(File.Exists(Path.Combine(person.State, "ledger.db")));
    }

    [Fact]
    public async Task A_ledger_that_is_away_or_lies_on_the_patient_keeps_a_person_from_healing_and_says_why()
    {
        await using var patient = await servers.Database(TestMajors.Newest, Stop);
        await Injury.Inflict(patient.Cluster, patient.Name, [new BTreeEntryMissing()], Stop);
        await using var person = new Service { Ledger = patient.ConnectionString };
        person.Write("targets:\n" + Service.Target(patient) + Service.SharedLedger(patient));
        var refused = await person.Run("heal", "-c", person.ConfigurationFile, "--yes");
        Assert.NotEqual(0, refused.Code);
        Assert.Contains("lies on the server", refused.Out, StringComparison.Ordinal);
        Assert.Contains("allow_on_target: true", refused.Out, StringComparison.Ordinal);

        var port = WebhookReceiver.FreePort();
        person.Write("targets:\n" + Service.Target(patient) + $"ledger: {{ postgres: \"host=127.0.0.1 port={port} user=postgres dbname=x\" }}\n");
        foreach (string[] words in new[] { ["heal", "--yes"], ["cases", "approve", "0123456789ab", "--because", "x"], (string[])["undo", "0123456789ab"] })
        {
            var away = await person.Run([.. words, "-c", person.ConfigurationFile]);
            Assert.NotEqual(0, away.Code);
            Assert.Contains($"127.0.0.1:{port}/x cannot be reached", away.Out, StringComparison.Ordinal);
            Assert.Contains("Start that server, or correct ledger", away.Out, StringComparison.Ordinal);
            Assert.DoesNotContain("   at ", away.Out, StringComparison.Ordinal);
        }
        Assert.False(await patient.Scalar<bool>("SELECT EXISTS (SELECT FROM movies WHERE id = 777)", Stop));
    }
}
