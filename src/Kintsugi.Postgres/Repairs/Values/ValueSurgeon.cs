using Kintsugi.Pages;
using Kintsugi.Pages.Heap;
using Kintsugi.Pages.Mending;
using Kintsugi.Postgres.Checks.Indexes;
using Kintsugi.Postgres.Checks.Values;

namespace Kintsugi.Postgres.Repairs.Values;

/// <summary>A byte for byte change of one value, or why there is none.</summary>
/// <param name="Doubt">Set where witnesses accuse the row, and what was true before cannot be told: nothing may be built on it.</param>
internal sealed record ValueVerdict(Correction? Correction, string? Why, bool Doubt = false);

/// <summary>
/// Finds what a value of a row was before its bytes changed. Witnesses are what is stored elsewhere: the row's generated columns, the keys of index
/// entries that lead to it and their places in the order, the parents that it refers to, orphans that refer to it. A value is the answer when every witness that contradicts the row as it is agrees with it,
/// none turns against it, no other value would do, and at least two witnesses speak.
/// </summary>
internal sealed class ValueSurgeon(
    Relation table, IReadOnlyList<StoredColumn> columns, IReadOnlyList<IndexTestimony> indexes, RowRoots roots, IPageView view, Patient patient)
{
    /// <summary>Longer texts are rarely stored as they are, and 8 candidates a byte are asked.</summary>
    private const int MostBytes = 2000;

    /// <param name="page">The row's page, as it lies on disk.</param>
    /// <param name="place">Its ctid.</param>
    /// <param name="suspects">The columns that may be damaged.</param>
    /// <param name="cancellationToken">Stops between two questions.</param>
    public async ValueTask<ValueVerdict> Settle(byte[] page, string place, IReadOnlyCollection<string> suspects, CancellationToken cancellationToken)
    {
        var tid = Tid.Parse(place);
        if (await roots.Of(tid, cancellationToken) is not { } root || tid.Item > PageHeader.Read(page).ItemCount)
            return new ValueVerdict(null, $"row {place} is gone, or its page does not tell which index entry is its own");
        var (testimonies, direct, mistaken) = await Hear(place, root, cancellationToken);
        if (mistaken is not null)
            return new ValueVerdict(null, mistaken);
        if (Stored(page, tid, suspects) is not { } stored)
            return new ValueVerdict(null, $"row {place} cannot be read on its page");
        var fitting = new List<Correction>();
        var accused = false;
        foreach (var value in stored)
        {
            var name = value.Column.Name;
            IReadOnlyList<RowTestimony> concerned = [.. testimonies.Where(testimony => testimony.Reads.Contains(name))];
            if (concerned.Count < Correction.EnoughWitnesses)
                continue;
            accused |= await Fit(value, new RowTrial(table, columns, concerned, patient), concerned, direct.GetValueOrDefault(name, []), place, fitting, cancellationToken);
        }
        return fitting switch
        {
            [var one] => new ValueVerdict(one, null),
            [] => new ValueVerdict(null, $"row {place}: no value of {string.Join(", ", suspects)} that differs from the stored one by a bit, or that an index has, "
                + "agrees with everything", accused),
            _ => new ValueVerdict(null, $"row {place}: {fitting.Count} different values would agree with everything: "
                + string.Join("; ", fitting.Take(4).Select(correction => correction.What)), accused),
        };
    }

    /// <summary>
    /// Whether the row's base columns are right as they are, so that the generated column is what is damaged: for each of them at least two things stored
    /// elsewhere agree with it and none is against it, and no single bit of it would make the accused column right as well.
    /// </summary>
    /// <returns>Who speaks for them, or why that is not proven.</returns>
    public async ValueTask<(IReadOnlyList<string>? Witnesses, string? Why)> Attest(
        byte[] page, string place, string accused, IReadOnlyCollection<string> bases, CancellationToken cancellationToken)
    {
        var tid = Tid.Parse(place);
        if (await roots.Of(tid, cancellationToken) is not { } root || tid.Item > PageHeader.Read(page).ItemCount || Stored(page, tid, bases) is not { } stored)
            return (null, $"row {place} cannot be read on its page: it is gone, or not on disk before the next checkpoint");
        if (stored.Count < bases.Count)
            return (null, $"a value of {string.Join(", ", bases)} is compressed, stored out of line, NULL, or of a type whose bytes are not compared");
        var (testimonies, _, mistaken) = await Hear(place, root, cancellationToken);
        if (mistaken is not null)
            return (null, mistaken);
        var own = RowTestimony.NameOf(accused);
        var names = new List<string>();
        foreach (var value in stored)
        {
            IReadOnlyList<RowTestimony> concerned = [.. testimonies.Where(testimony => testimony.Reads.Contains(value.Column.Name))];
            if (value.Bytes.Length > MostBytes || Candidates(value, []) is not { } candidates
                || await new RowTrial(table, columns, concerned, patient).Try(place, value.Column, candidates, cancellationToken) is not { } said)
                return (null, $"row {place}: what would speak for another {value.Column.Name} could not be asked");
            bool Agrees(int candidate, bool withAccused) =>
                concerned.Select((testimony, at) => said[candidate][at] || testimony.IsMild || (!withAccused && testimony.Name == own)).All(agrees => agrees);
            var witnesses = concerned.Where((testimony, at) => said[0][at] && testimony is { HoldsValue: true } && testimony.Name != own).Select(testimony => testimony.Name).ToList();
            if (!Agrees(0, withAccused: false) || witnesses.Count < Correction.EnoughWitnesses)
                return (null, $"row {place}: {value.Column.Name} is not attested by two things stored elsewhere, with none against it");
            if (Enumerable.Range(1, candidates.Count - 1).Any(at => Agrees(at, withAccused: true)))
                return (null, $"row {place}: another {value.Column.Name}, one bit away, would agree with {accused} and with everything else");
            names.AddRange(witnesses);
        }
        return ([.. names.Distinct()], null);
    }

    /// <summary>Those of the columns whose bytes lie in the row and can be told; null where the row cannot be taken apart.</summary>
    private List<StoredValue>? Stored(byte[] page, Tid tid, IReadOnlyCollection<string> wanted)
    {
        var line = LinePointer.Read(page, tid.Item);
        var slices = new AttributeSlice[columns.Count];
        if (!HeapPageInspector.IsReadable(page, line)
            || TupleReader.Deform(page.AsSpan(line.Offset, line.Length), [.. columns.Select(column => column.Physical)], slices) < 0)
            return null;
        return
        [
            .. columns.Select((column, at) => (column, at)).Where(pair => wanted.Contains(pair.column.Name) && !pair.column.Generated
                    && StoredForm.Knows(pair.column.Physical.TypeId) && slices[pair.at].Form is AttributeForm.Fixed or AttributeForm.Plain or AttributeForm.Packed)
                .Select(pair => new StoredValue(pair.column, tid.Item, line.Offset + slices[pair.at].Offset + slices[pair.at].HeaderSize,
                    slices[pair.at].Data(page.AsSpan(line.Offset, line.Length)).ToArray())),
        ];
    }

    /// <summary>The value as it is, then those that an index has and those one bit away; null where it is no value of its type.</summary>
    private static List<ValueCandidate>? Candidates(StoredValue value, IReadOnlyList<byte[]> direct)
    {
        var type = value.Column.Physical.TypeId;
        return StoredForm.ToText(type, value.Bytes) is not { } now ? null
            : [.. direct.Concat(Flips(value.Bytes)).Where(bytes => bytes.Length == value.Bytes.Length && !bytes.AsSpan().SequenceEqual(value.Bytes))
                .DistinctBy(Convert.ToHexString).Select(bytes => (Bytes: bytes, Text: StoredForm.ToText(type, bytes))).Where(candidate => candidate.Text is not null)
                .Select(candidate => new ValueCandidate(candidate.Bytes, candidate.Text!)).Prepend(new ValueCandidate(value.Bytes, now))];
    }

    private sealed record StoredValue(StoredColumn Column, int Item, int At, byte[] Bytes);

    /// <returns>Whether two witnesses or more contradict the value as it is, an independent one among them.</returns>
    private static async ValueTask<bool> Fit(
        StoredValue value, RowTrial trial, IReadOnlyList<RowTestimony> testimonies, IReadOnlyList<byte[]> direct, string place, List<Correction> fitting,
        CancellationToken cancellationToken)
    {
        if (value.Bytes.Length > MostBytes || Candidates(value, direct) is not { } candidates)
            return false;
        if (await trial.Try(place, value.Column, candidates, cancellationToken) is not { } said)
            return false;
        for (var i = 1; i < candidates.Count; i++)
        {
            var accusers = testimonies.Where((testimony, at) => !said[0][at] && said[i][at]).ToList();
            var independent = accusers.Exists(accuser => accuser.IsIndependent);
            // Whoever agrees with the row as it is must go on agreeing. Where nothing independent speaks, the difference must be damage's own: one bit.
            if (accusers.Count >= Correction.EnoughWitnesses && testimonies.Where((testimony, at) => !said[i][at]).All(testimony => testimony.IsMild)
                && (independent || Bits(value.Bytes, candidates[i].Bytes) == 1))
                fitting.Add(Correct(value, candidates[i].Bytes, place, accusers, !independent));
        }
        var against = testimonies.Where((testimony, at) => !said[0][at] && !testimony.IsMild).ToList();
        return against.Count >= Correction.EnoughWitnesses && against.Exists(accuser => accuser.IsIndependent);
    }

    private static Correction Correct(StoredValue value, byte[] after, string place, IReadOnlyList<RowTestimony> accusers, bool isGuess)
    {
        var (first, last) = (0, after.Length - 1);
        while (after[first] == value.Bytes[first]) first++;
        while (after[last] == value.Bytes[last]) last--;
        var (truth, was) = (StoredForm.Show(value.Column.Physical.TypeId, after), StoredForm.Show(value.Column.Physical.TypeId, value.Bytes));
        return new Correction(FlawKind.None, value.Item, value.At + first, value.Bytes.AsMemory(first, last - first + 1), after.AsMemory(first, last - first + 1),
            Basis.Testimony, [.. accusers.Select(accuser => new Witness(accuser.Name, true, $"{accuser.Name} agrees with {truth}, and not with {was}"))],
            $"{value.Column.Name} of row {place} is {truth} again, not {was}", isGuess);
    }

    private static int Bits(byte[] one, byte[] other) => one.Zip(other, (left, right) => int.PopCount(left ^ right)).Sum();

    /// <summary>Everything that speaks of the row; values that an index has for its columns as they are; or the index that is itself mistaken.</summary>
    private async ValueTask<(IReadOnlyList<RowTestimony> Said, Dictionary<string, List<byte[]>> Direct, string? Mistaken)> Hear(
        string place, Tid root, CancellationToken cancellationToken)
    {
        var said = (await GeneratedColumn.Read(patient, cancellationToken)).Columns.Where(column => column.Table.Oid == table.Oid).Select(RowTestimony.Of)
            .Concat(await ReferenceTestimony.Of(table, patient, cancellationToken)).ToList();
        var direct = new Dictionary<string, List<byte[]>>();
        foreach (var index in indexes)
        {
            if (await index.Hear(new HashSet<Tid> { root }, view, patient, cancellationToken) is not { } heard || !heard.TryGetValue(root, out var entries))
                continue;
            if (entries.Count > 1)
                return ([], [], $"index {index.Index.Name} leads to row {place} from several keys");
            if (await new ContradictedRows(table, index, roots, view, patient).IsOfAnother(place, entries[0], cancellationToken))
                continue;
            said.Add(index.Says(entries[0]));
            if (index.Place(entries[0]) is { } between)
                said.Add(between);
            if (index.Keys is [var key] && columns.FirstOrDefault(column => Sessions.Quote.Identifier(column.Name) == key.Sql || column.Name == key.Sql) is { } plain)
                (direct.TryGetValue(plain.Name, out var values) ? values : direct[plain.Name] = []).Add(entries[0].First);
        }
        return (said, direct, null);
    }

    private static IEnumerable<byte[]> Flips(byte[] bytes)
    {
        for (var bit = 0; bit < bytes.Length * 8; bit++)
        {
            var flipped = (byte[])bytes.Clone();
            flipped[bit / 8] ^= (byte)(1 << (bit % 8));
            yield return flipped;
        }
    }
}
