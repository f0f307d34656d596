using System.Globalization;
using Kintsugi.Pages;
using Kintsugi.Pages.Heap;
using Kintsugi.Postgres.Checks.References;
using Kintsugi.Postgres.Checks.Rows;

namespace Kintsugi.Postgres.Checks.Values;

/// <summary>
/// Which labels enum values mean that cannot be printed any more: the server gives their OIDs to nobody (enum_out and enum_send look the label up
/// first), so they are read off the pages.
/// </summary>
internal static class LostLabels
{
    /// <summary>By the heap alone: an index of pg_enum that has lost entries makes nothing lost.</summary>
    private const string Known = "SELECT e.oid FROM pg_catalog.pg_enum e";

    /// <returns>The OIDs without a label in those rows; empty where the pages cannot be read.</returns>
    public static async ValueTask<IReadOnlyList<uint>> Oids(
        Relation table, string column, IReadOnlyList<string> places, Patient patient, CancellationToken cancellationToken)
    {
        using var pages = await PageSearch.Of(patient, cancellationToken);
        if (pages is null || await RawKeys.OfTable(table, [column], patient.Session, cancellationToken) is not { Columns: var columns, Numbers: [var number] })
            return [];
        var known = (await patient.Session.InTransaction(Evidence.Settings(null), session =>
            session.Rows(Known, row => row.GetFieldValue<uint>(0), cancellationToken), cancellationToken)).ToHashSet();
        var found = new SortedSet<uint>();
        var items = places.Select(Tid.Parse).ToLookup(tid => (long)tid.Block, tid => tid.Item);
        try
        {
            await pages.Pages(table, items.Select(block => block.Key).Take(1000), (page, block) =>
            {
                foreach (var item in items[block])
                    if (Value(PageSearch.Tuple(page, item), columns, number) is { } oid && !known.Contains(oid))
                        found.Add(oid);
            }, cancellationToken);
        }
        catch (Exception problem) when (problem is IOException or PatientException { ConnectionLost: false })
        {
            // Pages that cannot be read are told of by the checks of storage; the finding then goes without OIDs.
            return [];
        }
        return [.. found];
    }

    private static uint? Value(ReadOnlySpan<byte> tuple, HeapColumn[] columns, int number)
    {
        if (tuple.IsEmpty)
            return null;
        var slices = new AttributeSlice[columns.Length];
        TupleReader.Deform(tuple, columns, slices);
        return slices[number].Form == AttributeForm.Fixed && slices[number].Data(tuple) is { Length: 4 } data ? BitConverter.ToUInt32(data) : null;
    }
}
