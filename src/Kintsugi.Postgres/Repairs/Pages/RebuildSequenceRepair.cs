using System.Globalization;
using Kintsugi.Pages;
using Kintsugi.Pages.Files;
using Kintsugi.Postgres.Checks.Storage;
using Kintsugi.Postgres.Checks.Values;
using Kintsugi.Postgres.Files.Reading;
using Kintsugi.Postgres.Operating;
using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Repairs.Pages;

/// <summary>
/// Makes the one page of a sequence anew: its definition is in pg_sequence, and what it has given is in the columns that it fills. Every statement that would
/// do it (ALTER SEQUENCE, setval, TRUNCATE … RESTART IDENTITY) reads the damaged page first, so the page itself is written; the sequence stays the same
/// object, with its owner, its defaults and its grants.
/// </summary>
public sealed class RebuildSequenceRepair : IRepair
{
    public string Id => "rebuild-sequence";
    public string Does => "makes the page of a sequence anew, behind the last value that is in use";
    public IReadOnlyList<FaultClass> Mends => [Faults.PageChecksum, Faults.PageInvalid, Faults.PageStale, Faults.HeapCorrupt];
    public Grade Grade => Grade.Lossless;

    public async ValueTask<Proposal> Plan(HealingCase healing, Patient patient, CancellationToken cancellationToken)
    {
        if (PagePlan.Sequence(healing, patient) is not { } sequence)
            return new Proposal.Refused($"{healing.Target.Name} is not a sequence");
        if (PagePlan.Obstacle(healing, sequence, patient) is { } obstacle)
            return new Proposal.Refused(obstacle);
        try
        {
            using var bytes = await ByteSource.Of(patient, cancellationToken);
            var page = new byte[PageFormat.Size];
            if (bytes is null || await bytes.Read(sequence.Path!, 0, page, cancellationToken) != page.Length)
                return new Proposal.Refused("its page cannot be read");
            if ((await SequenceReader.Read(patient, cancellationToken)).FirstOrDefault(facts => facts.Relation.Oid == sequence.Oid) is not { } facts)
                return new Proposal.Refused("pg_sequence does not know it: its definition is gone with its page");
            return await Planned(healing, facts, page, patient, cancellationToken);
        }
        catch (PatientException problem) when (!problem.ConnectionLost)
        {
            return new Proposal.Refused($"the columns that take their values from it could not be read: {problem.Message}");
        }
        catch (IOException failed)
        {
            return new Proposal.Refused($"its files could not be read: {failed.Message}");
        }
    }

    private async ValueTask<Proposal> Planned(HealingCase healing, SequenceFacts facts, byte[] page, Patient patient, CancellationToken cancellationToken)
    {
        var value = await SequenceValue.Of(facts, page, patient, cancellationToken);
        var lsn = (await patient.Session.Rows("SELECT pg_catalog.pg_current_wal_flush_lsn()::pg_catalog.text", row => WalEnd.Parse(row.GetString(0)), cancellationToken))[0];
        var after = new SequencePage(value.Last, 0, value.IsCalled).Write(lsn);
        if (patient.Can.DataChecksums != false)
            PageChecksum.Seal(after, 0);
        var plan = PagePlan.Of(Id, healing, facts.Relation, patient, [new PageChange(0, PageChange.Sum(page), after)],
            $"its page with last_value {value.Last.ToString(CultureInfo.InvariantCulture)}: {value.Because}", Grade.Lossless, rows: 0);
        return new Proposal.Planned(plan with
        {
            Steps = [.. plan.Steps, facts is { Uses: [{ Subscribed: false } use], Cycle: false, Increment: > 0 }
                ? Behind(healing, facts, use) : await SequenceFile.Anew(facts.Relation, healing, patient, cancellationToken)],
            NeedsApproval = value.Approval,
            Warnings =
            [
                $"Its next value was not readable any more. {value.Because}: values that were given and are in no row now may be given again.",
                "The second step writes it into a new file and into the WAL, so that standbys get it too.",
            ],
        });
    }

    /// <summary>Rows of transactions that were open when the page was planned have to be seen too.</summary>
    private static Step Behind(HealingCase healing, SequenceFacts facts, SequenceUse use) =>
        new(SetSequenceStep.Name, $"ALTER SEQUENCE {Quote.Name(facts.Relation)} RESTART behind the largest {Quote.Identifier(use.Column)} in use, where it is not by then")
        {
            Database = healing.Database,
            Lock = "ShareRowExclusive",
            Why = "the largest value in use is read again while nobody can take one; never backwards",
            Arguments = new Dictionary<string, string>
            {
                ["sequence"] = Quote.Name(facts.Relation),
                ["from"] = SequenceValue.From(use),
                ["column"] = Quote.Identifier(use.Column),
            },
        };
}
