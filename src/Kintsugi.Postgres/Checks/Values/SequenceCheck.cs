using System.Globalization;
using Kintsugi.Pages.Files;
using Kintsugi.Postgres.Checks.References;
using Kintsugi.Postgres.Checks.Rows;
using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Checks.Values;

/// <summary>
/// Every sequence against the columns that it fills: whether a value that it has yet to give is already used, as after a restore,
/// a COPY with explicit keys or a lost write, and whether it nears the end of its own range or of the column's type.
/// </summary>
public sealed class SequenceCheck : ICheck
{
    /// <summary>Exhaustion is told from here on.</summary>
    private const double Nearly = 0.8;

    /// <summary>
    /// How many values ahead a used one is met soon enough to be a fault. A key that was written by hand far ahead is none: the sequence may never
    /// come there.
    /// </summary>
    private const int Ahead = 1000;

    public string Id => "sequence";
    public string Proves => "every sequence is ahead of the values in its columns, and far from its end";
    public Layer Layer => Layer.Value;
    public Depth Depth => Depth.Standard;
    public IReadOnlyList<FaultClass> Finds => [Faults.SequenceBehind, Faults.SequenceExhausting, Faults.HeapCorrupt];
    public Needs Needs { get; } = new();

    private sealed record SequencePortion(Target Target, SequenceFacts Sequence) : Portion(Target);

    public async ValueTask<IReadOnlyList<Portion>> Divide(Patient patient, Depth depth, CancellationToken cancellationToken) =>
        [.. (await SequenceReader.Read(patient, cancellationToken)).Select(sequence => Portion(sequence, patient))];

    public async ValueTask<Verdict> Examine(Portion portion, Patient patient, CancellationToken cancellationToken)
    {
        var sequence = ((SequencePortion)portion).Sequence;
        if (await Impossible(sequence, portion.Target, patient, cancellationToken) is { } impossible)
            return new Verdict.Damaged(impossible);
        var findings = new List<Finding>();
        foreach (var use in sequence.Uses.Where(use => use.Unique && !sequence.Cycle))
            if (await Behind(sequence, use, portion.Target, patient, cancellationToken) is { } finding)
                findings.Add(finding);
        if (await Exhausting(sequence, portion.Target, patient, cancellationToken) is { } near)
            findings.Add(near);
        // One finding tells of one sequence: of several columns the one that is farthest ahead.
        return Verdict.From([.. findings.GroupBy(finding => finding.Fault).Select(same => same.First())]);
    }

    private static SequencePortion Portion(SequenceFacts sequence, Patient patient)
    {
        var target = sequence.Relation.ToTarget(patient.Can.SystemIdentifier, patient.Relations.Database);
        if (sequence.Uses.Count > 0)
            target = target with { Schema = sequence.Uses[0].Table.Schema, Relation = sequence.Uses[0].Table.Name };
        return new SequencePortion(target, sequence)
        {
            Relation = sequence.Relation,
            Weight = sequence.Uses.Sum(use => use.Table.Pages),
            StandsOn = [sequence.Relation.Oid, .. sequence.Uses.Select(use => use.Table.Oid)],
            Settled = Eligible.Settle(sequence.Relation, patient),
        };
    }

    /// <summary>
    /// The column first, the sequence after: values are given before rows are written, so that writers in between are no fault.
    /// </summary>
    private static async ValueTask<Finding?> Behind(
        SequenceFacts sequence, SequenceUse use, Target target, Patient patient, CancellationToken cancellationToken)
    {
        var column = Quote.Identifier(use.Column);
        var farthest = sequence.Increment > 0 ? "max" : "min";
        var from = $"{(use.Table.Kind == 'p' ? "" : "ONLY ")}{Quote.Name(use.Table)}";
        // Values beyond what the sequence can ever give are of no concern to it.
        var sql = $"SELECT pg_catalog.{farthest}({column})::pg_catalog.int8 FROM {from} WHERE {column} BETWEEN "
            + $"{Math.Min(sequence.Min, sequence.Limit).ToString(CultureInfo.InvariantCulture)} AND "
            + $"{Math.Max(sequence.Max, sequence.Limit).ToString(CultureInfo.InvariantCulture)}";
        var before = await Next(sequence, patient.Session, cancellationToken);
        var reach = Int128.Clamp((Int128)before + ((Int128)sequence.Increment * Ahead), long.MinValue, long.MaxValue);
        var soon = $"SELECT DISTINCT {column}::pg_catalog.int8 FROM {from} WHERE {column} BETWEEN "
            + $"{Int128.Min(before, reach).ToString(CultureInfo.InvariantCulture)} AND {Int128.Max(before, reach).ToString(CultureInfo.InvariantCulture)}";
        var (used, near) = await patient.Session.InTransaction(Evidence.Settings(null), async session =>
            await Evidence.Distrust(session, sql, cancellationToken) is { } why
                ? throw new PatientException(null, why)
                : ((await session.Rows(sql, row => row.IsDBNull(0) ? (long?)null : row.GetInt64(0), cancellationToken))[0],
                    await session.Rows(soon, row => row.GetInt64(0), cancellationToken)), cancellationToken);
        var next = await Next(sequence, patient.Session, cancellationToken);
        if (used is not { } value || !near.Any(it => sequence.Increment > 0 ? it >= next : it <= next))
            return null;
        var safe = (Int128)next + (((Int128)value - next) / sequence.Increment + 1) * sequence.Increment;
        return new Finding(Faults.SequenceBehind, target,
            $"the next value of {sequence.Relation.Schema}.{sequence.Relation.Name} is {next}, but "
                + $"{use.Table.Schema}.{use.Table.Name}.{use.Column} "
            + $"already holds {value}: inserts that take their key from it fail, or will")
        {
            SeverityOverride = use.Subscribed ? Severity.Info : null,
            Hint = use.Subscribed
                ? "the table is fed by a subscription, which does not carry sequences: set it when this server takes over"
                : "kintsugi heal sets the sequence behind the last used value",
            Facts = new Dictionary<string, string>
            {
                [FactNames.SequenceSchema] = sequence.Relation.Schema,
                [FactNames.Sequence] = sequence.Relation.Name,
                [FactNames.Columns] = RowFacts.List([use.Column]),
                [FactNames.From] = from,
                [FactNames.NextSafe] = safe.ToString(CultureInfo.InvariantCulture),
                [FactNames.Increment] = sequence.Increment.ToString(CultureInfo.InvariantCulture),
                [FactNames.Cycle] = RowFacts.Word(sequence.Cycle),
                [FactNames.Shared] = RowFacts.Word(sequence.Uses.Count > 1),
                [FactNames.Subscribed] = RowFacts.Word(use.Subscribed),
            },
        };
    }

    private static async ValueTask<Finding?> Exhausting(
        SequenceFacts sequence, Target target, Patient patient, CancellationToken cancellationToken)
    {
        var next = await Next(sequence, patient.Session, cancellationToken);
        var begin = sequence.Increment > 0 ? Math.Min(sequence.Start, sequence.Min) : Math.Max(sequence.Start, sequence.Max);
        var range = Math.Abs((double)sequence.Limit - begin);
        var used = range == 0 ? 1 : Math.Abs((double)next - begin) / range;
        // A range of a few values is meant to be short; a cycle has no end.
        if (sequence.Cycle || used <= Nearly || range < 1000)
            return null;
        var own = sequence.Limit == sequence.Max || sequence.Limit == sequence.Min;
        var percent = (used * 100).ToString("0.#", CultureInfo.InvariantCulture);
        return new Finding(Faults.SequenceExhausting, target,
            $"{percent} % of the range of {sequence.Relation.Schema}.{sequence.Relation.Name} is used: the next value is "
                + $"{next}, the last possible one "
            + $"{sequence.Limit}{(own ? "" : ", the end of its column's type")}")
        {
            Hint = "widen the column and the sequence to bigint in good time: ALTER TABLE … ALTER COLUMN … TYPE bigint "
                + "rewrites the table",
            Facts = new Dictionary<string, string>
            {
                [FactNames.SequenceSchema] = sequence.Relation.Schema,
                [FactNames.Sequence] = sequence.Relation.Name,
                [FactNames.Increment] = sequence.Increment.ToString(CultureInfo.InvariantCulture),
            },
        };
    }

    /// <summary>A sequence is one row (sequence.c); what it holds besides is asked of that one.</summary>
    private static async ValueTask<Finding?> Impossible(
        SequenceFacts sequence, Target target, Patient patient, CancellationToken cancellationToken)
    {
        // Its bounds of this moment: somebody may have widened them since they were listed.
        var rows = await patient.Session.Rows(
            $"SELECT q.last_value, q.log_cnt, s.seqmin, s.seqmax FROM {Quote.Name(sequence.Relation)} q, pg_catalog.pg_sequence s WHERE s.seqrelid = $1",
            row => (Last: row.GetInt64(0), Logged: row.GetInt64(1), Min: row.GetInt64(2), Max: row.GetInt64(3)), cancellationToken, sequence.Relation.Oid);
        var evidence = rows.Count != 1 ? $"expected one row in the sequence, but there are {rows.Count}"
            : rows[0].Last < rows[0].Min || rows[0].Last > rows[0].Max
                ? $"expected last_value between {rows[0].Min} and {rows[0].Max}, but it is {rows[0].Last}"
            : rows[0].Logged is < 0 or > SequencePage.MostLogged
                ? $"expected log_cnt between 0 and {SequencePage.MostLogged}, but it is {rows[0].Logged}: values that are not in the WAL are given twice after a crash"
            : null;
        return evidence is null ? null : new Finding(Faults.HeapCorrupt, target, evidence)
        {
            Hint = "save its file (kintsugi snapshots create); setval behind the greatest value in use gives last_value and log_cnt anew, "
                + "a sequence without its row is created anew",
        };
    }

    private static async ValueTask<long> Next(SequenceFacts sequence, IReadSession session, CancellationToken cancellationToken)
    {
        var (last, called) = (await session.Rows($"SELECT last_value, is_called FROM {Quote.Name(sequence.Relation)}",
            row => (row.GetInt64(0), row.GetBoolean(1)), cancellationToken))[0];
        return called ? (long)Int128.Clamp((Int128)last + sequence.Increment, long.MinValue, long.MaxValue) : last;
    }
}
