using Kintsugi.Pages;
using Kintsugi.Pages.Files;
using Kintsugi.Pages.Heap;
using Kintsugi.Postgres.Files.Reading;

namespace Kintsugi.Postgres.Checks.Indexes;

/// <summary>One table's file and what its tuples must agree with.</summary>
internal sealed class HeapReading(
    Located heap, HeapExpectations expected, IPageView view, bool checksums, IReadSession? session, TimeProvider clock)
{
    private const int MostFindings = 100;

    /// <summary>Of one table: beyond that it is damaged enough, and more would only fill the report.</summary>
    private const int MostOfTable = 200;

    /// <summary>
    /// Transactions and multixacts may have begun since the counters were read, and a running one's subtransactions count before it ends.
    /// </summary>
    private const uint Begun = 1_000_000;

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);

    private static readonly HashSet<FlawKind> OfToast =
        [FlawKind.ToastRelationWrong, FlawKind.ToastPointerImpossible, FlawKind.ToastWithoutFlag, FlawKind.ToastTagUnknown];

    /// <summary>Null where the table is gone.</summary>
    public static async ValueTask<HeapReading?> Begin(
        Relation relation, IByteSource bytes, Patient patient, TimeProvider clock, CancellationToken cancellationToken) =>
        (await Begin([relation], bytes, patient, clock, cancellationToken)).GetValueOrDefault(relation.Oid);

    /// <summary>What pages that were read before must agree with: nothing on them can have begun since.</summary>
    public ValueTask<HeapExpectations> ExpectedUntilNow(Patient patient, CancellationToken cancellationToken) =>
        ExpectedUntilNow(patient.Session, cancellationToken);

    private async ValueTask<HeapExpectations> ExpectedUntilNow(IReadSession asked, CancellationToken cancellationToken)
    {
        // Both count from the next one that is to be handed out, and wrap (xid.c, xid_age and mxid_age).
        var now = (await asked.Rows("SELECT pg_catalog.age('3'::pg_catalog.xid), pg_catalog.mxid_age('1'::pg_catalog.xid)",
            row => (Xid: row.GetInt32(0), Multi: row.GetInt32(1)), cancellationToken))[0];
        return expected with { NextXid = unchecked((uint)now.Xid + 3), NextMulti = unchecked((uint)now.Multi + 1) };
    }

    /// <summary>Several tables, one round trip; those that are gone are left out.</summary>
    public static async ValueTask<IReadOnlyDictionary<uint, HeapReading>> Begin(
        IReadOnlyList<Relation> relations, IByteSource bytes, Patient patient, TimeProvider clock, CancellationToken cancellationToken)
    {
        if (patient.Sql is null)
            return await OfflineReading.Begin(relations, bytes, patient, clock, cancellationToken);
        var oids = relations.Select(relation => relation.Oid).ToArray();
        var facts = await patient.Session.Rows(
            "SELECT pg_catalog.pg_relation_filepath(c.oid), c.reltoastrelid, c.relnatts, "
            + "pg_catalog.pg_snapshot_xmax(pg_catalog.pg_current_snapshot())::pg_catalog.text, c.oid, pg_catalog.getdatabaseencoding() = 'UTF8' "
            + "FROM pg_catalog.pg_class c WHERE c.oid = ANY ($1)",
            row => (Oid: row.GetFieldValue<uint>(4), Path: row.IsDBNull(0) ? null : row.GetString(0), Toast: row.GetFieldValue<uint>(1), Columns: row.GetInt16(2),
                Next: row.GetString(3), IsUtf8: row.GetBoolean(5)),
            cancellationToken, [oids]);
        if (facts.Count == 0)
            return new Dictionary<uint, HeapReading>();
        var columns = (await patient.Session.Rows(
            "SELECT attlen, attalign::pg_catalog.text, atttypid, attnum, attrelid FROM pg_catalog.pg_attribute "
            + "WHERE attrelid = ANY ($1) AND attnum > 0 ORDER BY attrelid, attnum",
            row => (Column: new HeapColumn(row.GetInt16(0), HeapColumn.AlignmentOf(row.GetString(1)[0]), row.GetFieldValue<uint>(2)),
                Number: row.GetInt16(3), Of: row.GetFieldValue<uint>(4)),
            cancellationToken, [oids])).ToLookup(column => column.Of);
        var control = await Control(bytes, cancellationToken);
        var next = (uint)ulong.Parse(facts[0].Next, System.Globalization.CultureInfo.InvariantCulture);
        var expected = new HeapExpectations
        {
            // What is younger is looked at again, with counters that are read after the page.
            NextXid = next,
            // The table's own horizon may have moved on while its page waits in shared buffers; the cluster's at the checkpoint has not.
            FrozenXid = control?.OldestXid ?? 0,
            NextMulti = control?.NextMulti ?? 0,
            MinimumMulti = control?.OldestMulti ?? 0,
            CommitLog = control is null ? null : await Log(bytes, control.OldestXid, next, cancellationToken),
            EndedBefore = control is null ? 0 : FileView.Ended(control),
            IsBeforeCompressionMethods = patient.Can.Major < 14,
            IsUtf8 = facts[0].IsUtf8,
        };
        var readings = new Dictionary<uint, HeapReading>();
        foreach (var (fact, relation) in facts.Join(relations, fact => fact.Oid, relation => relation.Oid, (fact, relation) => (fact, relation)))
        {
            var own = columns[fact.Oid].ToList();
            // Columns that the catalog has lost would make every tuple look wrong.
            var whole = own.Select((column, at) => column.Number == at + 1).All(inPlace => inPlace) && own.Count == fact.Columns;
            if (fact.Path is not null)
                readings.Add(fact.Oid, new HeapReading(new Located(relation, fact.Path), expected with
                {
                    Columns = whole ? [.. own.Select(column => column.Column)] : null,
                    ToastRelation = relation.IsCatalog ? null : fact.Toast,
                }, new FileView(bytes, patient, clock), patient.Can.DataChecksums != false, patient.Sql, clock));
        }
        return readings;
    }

    /// <summary>Same file, same columns.</summary>
    public bool IsLike(HeapReading other) => heap == other.Place && Columns.SequenceEqual(other.Columns);

    /// <summary>pg_attribute has every column of the table; otherwise only what a tuple says of itself is judged.</summary>
    public bool KnowsColumns => expected.Columns is not null;

    private Located Place => heap;

    /// <summary>One page as it lies on disk, whatever its checksum; null where there is none, or it is being written.</summary>
    public ValueTask<byte[]?> Page(long block, CancellationToken cancellationToken) =>
        new PageDesk(view, default, checksums: false).Page(heap, block, cancellationToken);

    /// <summary>The same where its checksum holds; null else.</summary>
    public async ValueTask<byte[]?> SoundPage(long block, CancellationToken cancellationToken) =>
        await Page(block, cancellationToken) is { } page && (!checksums || PageChecksum.Matches(page, (uint)block)) ? page : null;

    private HeapColumn[] Columns => expected.Columns ?? [];

    /// <summary>Pages with flaws, as they look at first.</summary>
    public async ValueTask<IReadOnlyList<long>> Suspects(CancellationToken cancellationToken)
    {
        var suspects = new List<long>();
        using var buffer = PageBuffer.For(await view.Blocks(heap, cancellationToken));
        for (var block = 0L; ;)
        {
            var read = await view.Read(heap, block, buffer.Bytes, cancellationToken);
            for (var i = 0; i < read; i++, block++)
                if (suspects.Count < MostFindings && IsWhole(buffer.Page(i), block)
                    && (Flaws(buffer.Page(i), block, expected).Count > 0 || PageTwin.Home(buffer.Page(i), (uint)block) is not null))
                    suspects.Add(block);
            if (read < buffer.Pages)
                break;
        }
        return suspects;
    }

    public async ValueTask<IReadOnlyList<Finding>> Run(Target target, CancellationToken cancellationToken)
    {
        var suspects = await Suspects(cancellationToken);
        if (suspects.Count == 0)
            return [];
        await Task.Delay(Pause, clock, cancellationToken);
        var findings = new List<Finding>();
        var unrecorded = new UnrecordedCommits();
        var desk = new PageDesk(view, default, checksums);
        foreach (var block in suspects.TakeWhile(_ => findings.Count < MostOfTable))
            if (await desk.Page(heap, block, cancellationToken) is { } page && IsWhole(page, block)
                && (session is null ? expected : await ExpectedUntilNow(session, cancellationToken)) is var against)
            {
                findings.AddRange(unrecorded.Keep(block, Flaws(page, block, against)).GroupBy(flaw => flaw.Item).Take(MostFindings).Select(item => Found(target, block, [.. item])));
                if (PageTwin.Home(page, (uint)block) is { } home && await desk.Page(heap, home, cancellationToken) is { } other && PageTwin.IsSame(page, other))
                    findings.Add(Found(target, block, [new Flaw(FlawKind.PageOfAnotherBlock, 0, Actual: home, Expected: block)]));
            }
        if (await unrecorded.Judge(target, session, cancellationToken) is { } lost)
            findings.Add(lost);
        return findings;
    }

    /// <summary>Pages whose header or checksum is wrong are for the checks of storage.</summary>
    private bool IsWhole(ReadOnlySpan<byte> page, long block) =>
        PageHeader.Read(page) is { IsNew: false, IsPossible: true } && (!checksums || PageChecksum.Matches(page, (uint)block));

    /// <summary>Of a page that is whole.</summary>
    private static List<Flaw> Flaws(ReadOnlySpan<byte> page, long block, HeapExpectations against)
    {
        var flaws = new List<Flaw>();
        HeapPageInspector.Inspect(page, against with { Block = (uint)block }, flaws);
        return flaws;
    }

    private Finding Found(Target target, long block, List<Flaw> flaws) =>
        new(heap.Relation.IsToast || flaws.Exists(flaw => OfToast.Contains(flaw.Kind)) ? Faults.ToastCorrupt : Faults.HeapCorrupt,
            target with
            {
                Fork = "main",
                Block = block,
                Offset = flaws[0].Item == 0 ? null : flaws[0].Item,
                Column = flaws.Find(flaw => flaw.Column != 0) is { Column: not 0 } flaw ? $"#{flaw.Column}" : null,
            }, string.Join("; ", flaws.Take(5).Select(flaw => flaw.Describe())))
        {
            Hint = "a person decides what becomes of damaged rows; a snapshot of the table's files comes first: kintsugi snapshots create",
            Facts = new Dictionary<string, string>
            {
                ["cause"] = $"{target.ObjectSchema}.{target.Object}",
                ["story"] = $"{target.Name}: tuples or out-of-line values are damaged",
            },
        };

    internal static uint After(uint counter)
    {
        var after = unchecked(counter + Begun);
        return TransactionIds.IsNormal(after) ? after : TransactionIds.FirstNormal;
    }

    internal static async ValueTask<ControlFile?> Control(IByteSource bytes, CancellationToken cancellationToken)
    {
        var file = new byte[ControlFile.FileSize];
        var flaws = new List<Flaw>();
        var read = await bytes.Read("global/pg_control", 0, file, cancellationToken);
        var control = ControlFile.Read(file.AsSpan(0, read), flaws);
        return flaws.Count == 0 ? control : null;
    }

    /// <summary>The endings of all transactions that tables may still name, two bits each. On disk they may be late, never wrong.</summary>
    internal static async ValueTask<Func<uint, XidOutcome>?> Log(IByteSource bytes, uint oldest, uint next, CancellationToken cancellationToken)
    {
        const uint most = 64;
        var first = oldest / CommitLog.PerSegment;
        var last = next / CommitLog.PerSegment;
        if (last < first || last - first > most)
            return null;
        var segments = new Dictionary<uint, byte[]>();
        for (var segment = first; segment <= last; segment++)
        {
            var buffer = new byte[LogPlace.SegmentSize];
            var read = await bytes.Read($"pg_xact/{new LogPlace(segment, 0).FileName}", 0, buffer, cancellationToken);
            segments[segment] = buffer[..read];
        }
        return xid => !TransactionIds.Precedes(xid, oldest) && segments.TryGetValue(xid / CommitLog.PerSegment, out var bits)
            ? CommitLog.Read(bits, xid) : XidOutcome.Unknown;
    }
}
