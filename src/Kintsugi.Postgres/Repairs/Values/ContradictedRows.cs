using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.RegularExpressions;
using Kintsugi.Pages;
using Kintsugi.Pages.Crossing;
using Kintsugi.Postgres.Checks.Indexes;
using Kintsugi.Postgres.Checks.Rows;
using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Repairs.Values;

/// <summary>
/// Rows to which an index has an entry, but with another key than the row has. No query leaves that behind: an entry of a place that was given to
/// another row is gone before, and an update that changes a key makes an entry of its own (README.HOT).
/// </summary>
internal sealed partial class ContradictedRows(Relation table, IndexTestimony index, RowRoots roots, IPageView view, Patient patient)
{
    /// <summary>So many rows are compared one by one, fifty bytes of memory each; of larger tables those stretches whose sums differ.</summary>
    private const double MostRows = 300_000;

    /// <summary>Stretches of a large table: a megabyte of sums.</summary>
    private const int Stretches = 65_536;

    /// <returns>Their places; null where the index cannot be read to its end.</returns>
    public async ValueTask<IReadOnlyList<string>?> Find(IEnumerable<Finding> findings, CancellationToken cancellationToken)
    {
        var named = findings.Select(finding => Named().Match(finding.Evidence)).Where(match => match.Success).Select(match => match.Groups[1].Value).Distinct().ToArray();
        if (table.Rows <= MostRows)
            return await Compare("", cancellationToken);
        if (named.Length > 0)
            return await Compare($" AND {Row}.ctid = ANY ({Quote.Literal($"{{{string.Join(',', named.Select(place => $"\"{place}\""))}}}")}::pg_catalog.tid[])", cancellationToken);
        return await Differing(cancellationToken) switch
        {
            null => null,
            // Many at once are no accident of single bytes: entries of rows that are gone, or an index that is older than its table.
            { Count: var count } when count == 0 || count * (table.Rows / Math.Min(Stretches, Math.Max(1, table.Pages))) > MostRows => [],
            var ranges => await Compare($" AND ({string.Join(" OR ", ranges.Select(range =>
                $"({Row}.ctid OPERATOR(pg_catalog.>=) '({range.First},0)'::pg_catalog.tid AND {Row}.ctid OPERATOR(pg_catalog.<) '({range.End},0)'::pg_catalog.tid)"))})", cancellationToken),
        };
    }

    /// <summary>Stretches of blocks in which the keys of the rows and those of the index's entries do not sum up to the same.</summary>
    private async ValueTask<List<(long First, long End)>?> Differing(CancellationToken cancellationToken)
    {
        var blocks = Math.Max(1, ((Math.Max(1, table.Pages) + Stretches) - 1) / Stretches);
        int Stretch(Tid root) => (int)Math.Min(root.Block / blocks, Stretches - 1);
        var difference = new ulong[Stretches];
        await patient.Session.InTransaction(Settings, async session =>
        {
            await foreach (var (place, key) in session.Stream(Sql(""), row => (Tid.Parse(row.GetString(0)), Digest(row.GetString(1))), cancellationToken))
                if (await roots.Of(place, cancellationToken) is { } root)
                    difference[Stretch(root)] += Sum(root, key);
            return true;
        }, cancellationToken);
        if (!await index.Visit(_ => true, (root, key) => difference[Stretch(root)] -= Sum(root, Digest(key)), view, patient, cancellationToken))
            return null;
        return [.. Enumerable.Range(0, Stretches).Where(at => difference[at] != 0).Select(at => (at * blocks, at == Stretches - 1 ? uint.MaxValue : (at + 1) * blocks))];
    }

    private static ulong Sum(Tid root, ulong key) => System.Numerics.BitOperations.RotateLeft((key ^ (((ulong)root.Block << 16) | (uint)root.Item)) * 0x9E3779B97F4A7C15, 31) * 0xD6E8FEB86659FD93;

    private async ValueTask<IReadOnlyList<string>?> Compare(string where, CancellationToken cancellationToken)
    {
        var rows = new Dictionary<Tid, Compared>();
        foreach (var (place, key) in await Rows(where, cancellationToken))
            if (await roots.Of(place, cancellationToken) is { } root)
                rows[root] = new Compared(place, key);
        // Read after the rows: the entry of a row that could be seen was there by then.
        var whole = await index.Visit(rows.ContainsKey, (root, key) => rows[root] = rows[root].With(Digest(key)), view, patient, cancellationToken);
        return whole ? [.. rows.Values.Where(row => row is { HasEntry: true, Agrees: false }).Select(row => row.Place).Order().Select(place => place.ToString())] : null;
    }

    /// <summary>
    /// Whether that is all that the check said: it looks for rows without entry when it has found the whole index in order (verify_nbtree.c,
    /// bt_check_every_level).
    /// </summary>
    public static bool FoundOrder(IEnumerable<Finding> findings) => findings.All(finding => finding.Check == "btree" && Named().IsMatch(finding.Evidence));

    /// <summary>
    /// Whether the entry is that of another row, which has none: then its pointer is what is wrong, and the row is not contradicted.
    /// </summary>
    public async ValueTask<bool> IsOfAnother(string place, HeardEntry entry, CancellationToken cancellationToken)
    {
        var same = await patient.Session.InTransaction(Settings, session => session.Rows(
            $"SELECT {Row}.ctid::pg_catalog.text FROM ONLY {Quote.Name(table)} WHERE {index.Meant} AND {index.KeyOfRow} = $1 "
            + $"AND {Row}.ctid OPERATOR(pg_catalog.<>) $2::pg_catalog.tid LIMIT 1001", row => row.GetString(0), cancellationToken, entry.Key, place), cancellationToken);
        if (same.Count > 0 && (index.Index.Index!.Unique || same.Count > 1000))
            return true;
        var others = new Dictionary<Tid, string>();
        foreach (var other in same)
            if (await roots.Of(Tid.Parse(other), cancellationToken) is { } root)
                others[root] = other;
        var heard = others.Count == 0 ? [] : await index.Hear(others.Keys.ToHashSet(), view, patient, cancellationToken);
        return heard is null || others.Count < same.Count || others.Keys.Any(root => !heard.TryGetValue(root, out var own) || own.All(one => one.Key != entry.Key));
    }

    /// <summary>A row, the digest of its key, and what its entries say of it.</summary>
    private readonly record struct Compared(Tid Place, ulong Key, bool HasEntry = false, bool Agrees = false)
    {
        public Compared With(ulong entry) => this with { HasEntry = true, Agrees = Agrees || entry == Key };
    }

    private string Row => Quote.Identifier(table.Name);

    private string Settings => Evidence.Settings(OwnerRights.Role(table, index.CallsOthers, patient));

    private ValueTask<IReadOnlyList<(Tid Place, ulong Key)>> Rows(string where, CancellationToken cancellationToken) =>
        patient.Session.InTransaction(Settings, session => session.Rows(Sql(where), row => (Tid.Parse(row.GetString(0)), Digest(row.GetString(1))), cancellationToken), cancellationToken);

    private string Sql(string where) =>
        $"SELECT s.place::pg_catalog.text, s.key FROM (SELECT {Row}.ctid AS place, {index.KeyOfRow} AS key FROM ONLY {Quote.Name(table)} WHERE {index.Meant}{where}) s WHERE s.key IS NOT NULL";

    private static ulong Digest(string key) => KeyDigest.Add(KeyDigest.Start, MemoryMarshal.AsBytes(key.AsSpan()));

    // verify_nbtree.c, bt_tuple_present_callback.
    [GeneratedRegex(@"heap tuple (\(\d+,\d+\)) from table")]
    private static partial Regex Named();
}
