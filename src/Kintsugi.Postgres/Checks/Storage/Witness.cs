using Kintsugi.Pages;
using Kintsugi.Pages.Files;
using Kintsugi.Postgres.Files.Offline;
using Kintsugi.Postgres.Files.Reading;

namespace Kintsugi.Postgres.Checks.Storage;

/// <summary>
/// Speaks about pages that are empty, and about the end of a file. An empty page is legal: a crash leaves some behind every bulk
/// insert. It accuses only when something else knows that rows were there: the visibility map of a table, or that every index and
/// every sequence begins with a page that is not empty. On a running server the disk may lag behind for minutes, so the server is
/// asked what it holds; where neither pageinspect nor pg_visibility lets it be asked, nobody is accused.
/// </summary>
internal sealed class Witness(Relation relation, string path, Patient patient, IByteSource bytes)
{
    /// <summary>Garbage reaches to the end of its page; one table in two thousand ends there.</summary>
    private const int LastBlocks = 16;

    private readonly byte[] map = new byte[PageFormat.Size];
    private long mapBlock = -1;
    private bool mapReadable;

    /// <summary>Blocks that the table's file has.</summary>
    public long Blocks { get; set; } = long.MaxValue;

    /// <returns>Why the empty page cannot be, by what is on disk; null when it can.</returns>
    public async ValueTask<Suspicion?> OnDisk(long block, CancellationToken cancellationToken)
    {
        if (block == 0 && relation.Kind is 'i' or 'S')
            return new Suspicion(Faults.PageInvalid,
                "the page is all zero, but the first page of an index or a sequence never is");
        if (!relation.HasHeap || relation.AccessMethod != "heap" || await Bits(block, cancellationToken) == 0)
            return null;
        return new Suspicion(Faults.PageInvalid,
            "the page is all zero, but the visibility map says that its rows are visible to everyone");
    }

    /// <summary>Whether the accusation of an empty page holds now.</summary>
    public async ValueTask<bool> Holds(long block, CancellationToken cancellationToken)
    {
        if (patient.Sql is null)
            return IsStopped();
        if (await RawPage(Forks.Main, block, cancellationToken) is { } page)
            return PageHeader.IsAllZero(page)
                && (relation.Kind is 'i' or 'S'
                || (await RawPage(Forks.Vm, MapBlockOf(block), cancellationToken) is { } held && BitsIn(held, block) != 0));
        if (!relation.HasHeap || patient.Can.Function("pg_visibility", "pg_visibility(regclass,bigint)") is not { } look)
            return false;
        // The page's own all-visible bit is never off where the map's is on (visibilitymap.c); of an empty page it is off.
        return await Ask($"SELECT v.all_visible AND NOT v.pd_all_visible FROM {look}($1::pg_catalog.regclass, $2) v", block,
            cancellationToken);
    }

    /// <summary>
    /// Whether a map that knows that block behind the end is itself the damage: the catalog has known the very end that the file has since VACUUM
    /// last wrote both, or the bits go on to where a page of the map ends.
    /// </summary>
    public bool MapLies(long block) =>
        block >= relation.Pages && ((relation.Pages > 0 && relation.Pages == Blocks) || block % VisibilityMap.BlocksPerPage >= VisibilityMap.BlocksPerPage - LastBlocks);

    /// <summary>The last block that the visibility map knows behind the end of the table's file, or null.</summary>
    public async ValueTask<long?> KnownBehind(CancellationToken cancellationToken)
    {
        if (!relation.HasHeap || relation.AccessMethod != "heap" || (patient.Sql is null && !IsStopped()))
            return null;
        var extent = await ForkExtent.Measure(bytes, path, Forks.Vm, cancellationToken);
        for (var page = extent.Blocks - 1; page >= MapBlockOf(Blocks); page--)
            if (await IsReadable(page, cancellationToken) && LastKnown(page) is { } block && block >= Blocks)
                return patient.Sql is null || await ServerKnows(block, cancellationToken) ? block : null;
        return null;
    }

    /// <summary>The last block with a bit on this page of the map, which is loaded.</summary>
    private long? LastKnown(long page)
    {
        var at = PageHeader.Read(map).IsNew ? -1 : map.AsSpan(PageFormat.HeaderSize).LastIndexOfAnyExcept((byte)0);
        for (var block = (page * VisibilityMap.BlocksPerPage) + (at * 4) + 3; at >= 0; block--)
            if (BitsIn(map, block) != 0)
                return block;
        return null;
    }

    /// <summary>Truncation clears the map in memory first: only what the server still holds of it counts.</summary>
    private async ValueTask<bool> ServerKnows(long block, CancellationToken cancellationToken)
    {
        if (patient.Can.Function("pg_visibility", "pg_visibility_map(regclass,bigint)") is { } look)
            return await Ask($"SELECT v.all_visible AND pg_catalog.pg_relation_size($1::pg_catalog.regclass, 'main') <= $2 * "
                + $"8192 "
                + $"FROM {look}($1::pg_catalog.regclass, $2) v", block, cancellationToken);
        return await RawPage(Forks.Vm, MapBlockOf(block), cancellationToken) is { } held && BitsIn(held, block) != 0
            && await Ask("SELECT pg_catalog.pg_relation_size($1::pg_catalog.regclass, 'main') <= $2 * 8192", block,
            cancellationToken);
    }

    private async ValueTask<int> Bits(long block, CancellationToken cancellationToken) =>
        await IsReadable(MapBlockOf(block), cancellationToken)
        && !(LastKnown(MapBlockOf(block)) is { } last && last >= Blocks && MapLies(last)) ? BitsIn(map, block) : 0;

    /// <returns>Whether the page of the map is there and can be read; it is loaded then.</returns>
    private async ValueTask<bool> IsReadable(long page, CancellationToken cancellationToken)
    {
        if (mapBlock == page)
            return mapReadable;
        mapBlock = page;
        var (file, offset) = Forks.Place(path, Forks.Vm, page);
        var expected = new PageExpectation(patient.Can.DataChecksums == true, PageKind.Of(relation, Forks.Vm), true, true);
        mapReadable = await bytes.Read(file, offset, map, cancellationToken) == map.Length
            && PageJudge.Look(map, page, expected, 0) is null;
        return mapReadable;
    }

    /// <summary>What the server holds of that block, in memory or from the disk; null when this role cannot ask.</summary>
    private async ValueTask<byte[]?> RawPage(string fork, long block, CancellationToken cancellationToken)
    {
        if (!patient.Can.Superuser)
            return null;
        var (raw, type) = patient.Can.Function("pageinspect", "get_raw_page(text,text,bigint)") is { } wide ? (wide, "int8")
            : (patient.Can.Function("pageinspect", "get_raw_page(text,text,integer)"), "int4");
        if (raw is null)
            return null;
        try
        {
            return (await patient.Session.Rows(
                $"SELECT {raw}($1::pg_catalog.regclass::pg_catalog.text, $2, $3::pg_catalog.{type})",
                row => row.GetFieldValue<byte[]>(0), cancellationToken, relation.Oid, fork, block))[0];
        }
        catch (PatientException problem) when (!problem.ConnectionLost)
        {
            return null;
        }
    }

    private async ValueTask<bool> Ask(string sql, long block, CancellationToken cancellationToken)
    {
        try
        {
            var answers = await patient.Session.Rows(sql, row => !row.IsDBNull(0) && row.GetBoolean(0), cancellationToken,
                relation.Oid, block);
            return answers.Count > 0 && answers[0];
        }
        catch (PatientException problem) when (!problem.ConnectionLost)
        {
            // It could not be asked: cut, dropped, or unreadable. What is not confirmed is not accused.
            return false;
        }
    }

    private bool IsStopped() => patient.Files?.Directory is { } directory && DataDirectory.Open(directory).IsShutDown;

    private static long MapBlockOf(long block) => block / VisibilityMap.BlocksPerPage;

    private static int BitsIn(ReadOnlySpan<byte> page, long block) =>
        PageHeader.Read(page).IsNew ? 0 : VisibilityMap.Bits(page, (uint)block);
}
