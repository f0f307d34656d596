using Kintsugi.Pages;
using Kintsugi.Postgres.Checks.Indexes;
using Kintsugi.Postgres.Checks.Rows;
using Kintsugi.Postgres.Files.Reading;
using Kintsugi.Postgres.Repairs.Rows;
using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Repairs.Values;

/// <summary>
/// Few rows of a generated column disagree with their expression: asks whether it is the column that is wrong. That is proven where other generated
/// columns and index entries still tell the same of the base columns as the rows themselves.
/// </summary>
internal sealed class StaleColumn(AccusedTable accused, string column, IReadOnlyCollection<string> bases, Patient patient, TimeProvider clock)
{
    /// <summary>More are no accident of single values.</summary>
    private const int MostRows = 20;

    /// <returns>Who speaks for the base columns of every row, or why that is not proven.</returns>
    public async ValueTask<(IReadOnlyList<string>? Witnesses, string? Why)> Attest(CancellationToken cancellationToken)
    {
        var table = accused.Table;
        using var bytes = await ByteSource.Of(patient, cancellationToken);
        var view = (IPageView?)BufferView.Of(patient) ?? (bytes is null ? null : new FileView(bytes, patient, clock));
        if (bytes is null || view is null || table.Path is null)
            return (null, "its pages cannot be read from here");
        var roots = new RowRoots(new Located(table, table.Path), view);
        try
        {
            var places = await Places(cancellationToken);
            if (places.Count is 0 or > MostRows)
                return (null, $"{(places.Count == 0 ? "no row disagrees" : $"more than {MostRows} rows disagree")}");
            if (await StoredColumn.Of(table, patient.Session, cancellationToken) is not { } columns)
                return (null, "the definition of its columns could not be read");
            var desk = new PageDesk(view, default, patient.Can.DataChecksums != false);
            var surgeon = new ValueSurgeon(table, columns, await IndexTestimony.Of(table, patient, cancellationToken), roots, view, patient);
            return await Hear(places, surgeon, block => desk.Page(new Located(table, table.Path), block, cancellationToken), cancellationToken);
        }
        catch (IOException failed)
        {
            return (null, $"its files could not be read: {failed.Message}");
        }
    }

    private async ValueTask<(IReadOnlyList<string>? Witnesses, string? Why)> Hear(
        IReadOnlyList<string> places, ValueSurgeon surgeon, Func<long, ValueTask<byte[]?>> read, CancellationToken cancellationToken)
    {
        var names = new List<string>();
        foreach (var place in places)
        {
            var block = Tid.Parse(place).Block;
            if (await read(block) is not { } page)
                return (null, $"block {block} is being written, or its checksum is wrong");
            var (witnesses, why) = await surgeon.Attest(page, place, column, bases, cancellationToken);
            if (witnesses is null)
                return (null, why);
            names.AddRange(witnesses);
        }
        return ([.. names.Distinct()], null);
    }

    private ValueTask<IReadOnlyList<string>> Places(CancellationToken cancellationToken)
    {
        var row = Quote.Identifier(accused.Table.Name);
        return patient.Session.InTransaction(Evidence.Settings(accused.Role), session => session.Rows(
            $"SELECT {row}.ctid::pg_catalog.text FROM ONLY {Quote.Name(accused.Table)} WHERE ({accused.Violation}) LIMIT {MostRows + 1}",
            found => found.GetString(0), cancellationToken), cancellationToken);
    }
}
