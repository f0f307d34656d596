using System.Buffers.Binary;
using Kintsugi.Pages;
using Kintsugi.Pages.Heap;
using Kintsugi.Pages.Indexes;
using Kintsugi.Postgres.Tests.Checks.Storage;
using Kintsugi.Postgres.Tests.Fixtures;
using Scalpel = Kintsugi.Postgres.Tests.Checks.Indexes.Surgery;

namespace Kintsugi.Postgres.Tests.Checks.Crossing;

/// <summary>One table for each wound, so that one stop of the server serves for all of them.</summary>
internal sealed class CrossWard
{
    private const int Victim = 777, Other = 778;

    private static readonly (string Name, string[] Faults, string Words, Action<Patient> Wound)[] All =
    [
        ("missing", ["index-corrupt missing_v"], "have no entry", it => Scalpel.Remove(it.Index, IndexKind.Btree, it.Tid)),
        ("dangling", ["index-corrupt dangling_v"], "where no row can be",
            it => Scalpel.Redirect(it.Index, IndexKind.Btree, it.Tid, it.Tid with { Item = 250 })),
        // The entry of one row now leads to its neighbour: two entries for that one, none for the first, and the places are out of order or not.
        ("wrong_tid", ["index-corrupt wrong_tid_v"], "have no entry", it => Scalpel.Redirect(it.Index, IndexKind.Btree, it.Tid, it.OtherTid)),
        ("swapped", ["index-corrupt swapped_v"], "out of order", Swap),
        ("key_in_heap", ["heap-corrupt key_in_heap", "index-corrupt key_in_heap_v", "index-corrupt key_in_heap_vt"], "another key in the table", ChangeRow),
        ("key_in_index", ["index-corrupt key_in_index_vt"], "another key in the table", ChangeEntry),
        ("left_link", ["index-corrupt left_link_v"], "left neighbour", it => Leaf(it, (page, _) => page[^16]++)),
        ("right_link", ["index-corrupt right_link_v"], "", it => Leaf(it, (page, _) => page[^12] = page[^16])),
        ("separator", ["index-corrupt separator_v"], "separator", ChangeHighKey),
        ("killed", ["index-corrupt killed_v"], "have no entry", Kill),
        ("zeroed_leaf", ["index-corrupt zeroed_leaf_v"], "", it => Scalpel.Zero(it.Index, Scalpel.Find(it.Index, IndexKind.Btree, it.Tid).Page)),
        ("zeroed_heap", ["heap-corrupt zeroed_heap"], "is all zero", it => Scalpel.Zero(it.Heap, it.Tid.Block)),
        ("lost_pointer", ["heap-corrupt lost_pointer"], "are gone", it => Scalpel.LosePointer(it.Heap, it.Tid)),
    ];

    private readonly List<(Action<Patient> Wound, Patient Patient)> wounds = [];

    private sealed record Patient(string Heap, string Index, string Wide, Tid Tid, Tid OtherTid);

    public IEnumerable<string> Expected => All.SelectMany(wound => wound.Faults);

    public IEnumerable<(string Name, string Words)> Words => All.Select(wound => (wound.Name, wound.Words));

    public static async Task<CrossWard> Prepare(TestDatabase database, CancellationToken cancellationToken)
    {
        var ward = new CrossWard();
        var surgery = new Scalpel(database);
        foreach (var (name, _, _, wound) in All)
        {
            await database.Execute($"CREATE TABLE {name} AS SELECT x AS id, x * 2 AS v, 't' || x AS t FROM pg_catalog.generate_series(1, 3000) x; "
                + $"CREATE INDEX {name}_v ON {name} (v); CREATE INDEX {name}_vt ON {name} (v) INCLUDE (t)", cancellationToken);
            ward.wounds.Add((wound, new Patient(await StorageWard.FileOf(database, name, cancellationToken),
                await StorageWard.FileOf(database, $"{name}_v", cancellationToken), await StorageWard.FileOf(database, $"{name}_vt", cancellationToken),
                await surgery.PlaceOf(name, $"id = {Victim}", cancellationToken), await surgery.PlaceOf(name, $"id = {Other}", cancellationToken))));
        }
        return ward;
    }

    public void Wound()
    {
        foreach (var (wound, patient) in wounds)
            wound(patient);
    }

    private static void Leaf(Patient patient, Action<byte[], IndexEntry> change)
    {
        var (block, entry) = Scalpel.Find(patient.Index, IndexKind.Btree, patient.Tid);
        StorageWard.Alter(patient.Index, block, seal: true, page => change(page, entry));
    }

    private static void Swap(Patient patient) => Leaf(patient, (page, entry) =>
    {
        var at = LinePointer.Position(entry.Item);
        var line = page.AsSpan(at, PageFormat.LinePointerSize).ToArray();
        page.AsSpan(at + line.Length, line.Length).CopyTo(page.AsSpan(at));
        line.CopyTo(page.AsSpan(at + line.Length));
    });

    private static void Kill(Patient patient) => Leaf(patient, (page, entry) =>
    {
        var line = LinePointer.Read(page, entry.Item);
        BinaryPrimitives.WriteUInt32LittleEndian(page.AsSpan(LinePointer.Position(entry.Item)), (line with { State = LinePointerState.Dead }).Encode());
    });

    /// <summary>A bit of v flips in the row: both indexes that keep the column know better.</summary>
    private static void ChangeRow(Patient patient) => StorageWard.Alter(patient.Heap, patient.Tid.Block, seal: true, page =>
    {
        var line = LinePointer.Read(page, patient.Tid.Item);
        page[line.Offset + HeapTupleHeader.MinimumSize + 4] ^= 1;
    });

    /// <summary>A letter of the included text: neither order nor links tell.</summary>
    private static void ChangeEntry(Patient patient)
    {
        var (block, entry) = Scalpel.Find(patient.Wide, IndexKind.Btree, patient.Tid);
        StorageWard.Alter(patient.Wide, block, seal: true, page => page[LinePointer.Read(page, entry.Item).Offset + 14] ^= 1);
    }

    /// <summary>The high key grows by one: it still is over its page and under the next, but the page above remembers another one.</summary>
    private static void ChangeHighKey(Patient patient) => Leaf(patient, (page, _) => page[LinePointer.Read(page, 1).Offset + 8] ^= 1);
}
