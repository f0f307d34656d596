using System.Globalization;
using Kintsugi.Postgres.Checks.References;
using Kintsugi.Postgres.Operating;
using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Repairs.Rows;

/// <summary>Sets a sequence behind the largest value in use, never backwards; the largest value is read again under lock.</summary>
public sealed class SequenceRepair : IRepair
{
    /// <summary>A jump over more than this share of the range is a person's decision: one wild value would burn it.</summary>
    private const double MostOfRange = 0.1;

    public string Id => "set-sequence";
    public string Does => "sets a sequence behind the last value that is in use";
    public IReadOnlyList<FaultClass> Mends => [Faults.SequenceBehind];
    public Grade Grade => Grade.Lossless;

    public async ValueTask<Proposal> Plan(HealingCase healing, Patient patient, CancellationToken cancellationToken)
    {
        if (RowGround.Refusal(healing) is { } refusal)
            return refusal;
        if (healing.Findings.Count != 1)
            return new Proposal.Refused("several tables take their values from one sequence: it is only reported", Final: true);
        var facts = healing.Findings[0].Facts;
        var increment = long.Parse(facts[FactNames.Increment], CultureInfo.InvariantCulture);
        if (facts[FactNames.Cycle] == "true" || facts[FactNames.Shared] == "true" || increment < 0)
            return new Proposal.Refused("a sequence that cycles, counts down or serves several tables is only reported: what its next value should "
                + "be is the owner's to say (ALTER SEQUENCE … RESTART WITH …)", Final: true);
        var name = Quote.Name(facts[FactNames.SequenceSchema], facts[FactNames.Sequence]);
        var safe = Int128.Parse(facts[FactNames.NextSafe], CultureInfo.InvariantCulture);
        var range = (await patient.Session.Rows("""
            SELECT s.seqmin, s.seqmax FROM pg_catalog.pg_sequence s WHERE s.seqrelid = pg_catalog.to_regclass($1)::pg_catalog.oid
            """, row => (Min: row.GetInt64(0), Max: row.GetInt64(1)), cancellationToken, name)) is [var only] ? only : default;
        if (safe > range.Max)
            return new Proposal.Refused($"the value after the largest in use, {safe}, is beyond the end of the sequence ({range.Max}): widen it first", Final: true);
        var last = (await patient.Session.Rows($"SELECT last_value FROM {name}", row => row.GetInt64(0), cancellationToken))[0];
        var share = (double)(safe - last) / ((double)range.Max - range.Min);
        return new Proposal.Planned(new Plan(Id,
        [
            new Step(SetSequenceStep.Name, $"ALTER SEQUENCE {name} RESTART WITH {safe}")
            {
                Database = healing.Database,
                Lock = "ShareRowExclusive",
                Why = "its next value is in use already: the next insert would fail",
                Arguments = new Dictionary<string, string>
                {
                    ["sequence"] = name,
                    ["from"] = facts[FactNames.From],
                    ["column"] = Quote.Identifier(RowGround.List(healing.Findings[0], FactNames.Columns)[0]),
                },
            },
        ])
        {
            Case = healing.Id,
            Alters = [healing.Target],
            Snapshot = SnapshotGrade.None,
            NeedsApproval = share > MostOfRange ? $"{share:P0} of the sequence's range would be skipped: one wild value may be the cause" : null,
        });
    }
}
