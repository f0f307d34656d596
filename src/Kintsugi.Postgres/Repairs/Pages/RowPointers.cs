using Kintsugi.Pages;
using Kintsugi.Pages.Heap;
using Kintsugi.Postgres.Checks.References;
using Kintsugi.Postgres.Repairs.Values;

namespace Kintsugi.Postgres.Repairs.Pages;

/// <summary>A pointer to an out-of-line value, where it lies in its row version.</summary>
internal sealed record RowPointer(Tid Row, int Column, int At, ToastPointer Says);

/// <summary>Every pointer of every row version of a table, dead or alive.</summary>
internal static class RowPointers
{
    /// <returns>Null where a tuple cannot be read to its end.</returns>
    public static async ValueTask<List<RowPointer>?> Of(Relation table, PageSearch search, Patient patient, CancellationToken cancellationToken)
    {
        if (await StoredColumn.Of(table, patient.Session, cancellationToken) is not { } columns)
            return null;
        HeapColumn[] physical = [.. columns.Select(column => column.Physical)];
        var slices = new AttributeSlice[physical.Length];
        var pointers = new List<RowPointer>();
        var whole = true;
        await search.Tuples(table, (tuple, tid) =>
        {
            if (TupleReader.Deform(tuple, physical, slices) < 0)
                whole = false;
            for (var i = 0; i < slices.Length; i++)
                if (slices[i].Form == AttributeForm.External && slices[i].Length == ToastPointer.Size)
                    pointers.Add(new RowPointer(tid, i, slices[i].Offset, ToastPointer.Read(slices[i].Data(tuple))));
        }, cancellationToken);
        return whole ? pointers : null;
    }
}
