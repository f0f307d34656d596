using Kintsugi.Pages;
using Kintsugi.Pages.Mending;
using Kintsugi.Postgres.Checks.Indexes;
using Kintsugi.Postgres.Files.Reading;
using Kintsugi.Postgres.Operating;

namespace Kintsugi.Postgres.Repairs.Pages;

/// <summary>A page that can be put right, and what is put right on it.</summary>
internal sealed record MendedPage(PageChange Change, IReadOnlyList<Correction> Corrections)
{
    public string Sentence => $"block {Change.Block}: {string.Join(", ", Corrections.Select(correction =>
        $"{correction.What} (byte {correction.At}: {Convert.ToHexStringLower(correction.Before.Span)} becomes {Convert.ToHexStringLower(correction.After.Span)})"))}";

    /// <summary>The page with every correction made in order, sealed where the cluster has checksums.</summary>
    public static MendedPage Of(long block, byte[] page, IReadOnlyList<Correction> corrections, Patient patient)
    {
        var after = (byte[])page.Clone();
        foreach (var correction in corrections)
            correction.After.Span.CopyTo(after.AsSpan(correction.At));
        if (patient.Can.DataChecksums != false)
            PageChecksum.Seal(after, (uint)block);
        return new MendedPage(new PageChange(block, PageChange.Sum(page), after), corrections);
    }
}

/// <summary>Takes the damaged pages of one table one by one, and keeps what can be mended apart from what cannot.</summary>
internal sealed class PageWard(HeapReading reading, PageWitnesses witnesses, Patient patient)
{
    /// <summary>No witness from elsewhere.</summary>
    public static readonly IReadOnlyDictionary<int, IReadOnlyList<Witness>> Nobody = new Dictionary<int, IReadOnlyList<Witness>>();

    /// <summary>Explanations of a checksum that a message lists.</summary>
    private const int MostTold = 5;

    private readonly List<MendedPage> mended = [];

    /// <summary>Null where the table is gone, or pg_attribute does not have all of its columns.</summary>
    public static async ValueTask<PageWard?> Open(
        Relation table, HealingCase healing, IReadOnlyCollection<long> blocks, IByteSource bytes, Patient patient, TimeProvider clock,
        CancellationToken cancellationToken)
    {
        if (await HeapReading.Begin(table, bytes, patient, clock, cancellationToken) is not { KnowsColumns: true } reading)
            return null;
        var witnesses = new PageWitnesses(table, healing, patient, bytes, (IPageView?)BufferView.Of(patient) ?? new FileView(bytes, patient, clock));
        await witnesses.Hear(blocks, cancellationToken);
        return new PageWard(reading, witnesses, patient);
    }

    public IReadOnlyList<MendedPage> Mended => mended;

    /// <summary>Why the first page that could not be mended could not.</summary>
    public string? Reason { get; private set; }

    /// <summary>Why a person has to agree, or null.</summary>
    public string? Approval { get; private set; }

    /// <summary>Rows whose header or line pointer changes.</summary>
    public long Rows { get; private set; }

    /// <param name="block">The page.</param>
    /// <param name="alive">Who says from elsewhere that a row of it is alive, by line pointer.</param>
    /// <param name="cancellationToken">Stops between two readings.</param>
    public async ValueTask Treat(long block, IReadOnlyDictionary<int, IReadOnlyList<Witness>> alive, CancellationToken cancellationToken)
    {
        if (await reading.Page(block, cancellationToken) is not { } page)
        {
            Reason ??= $"block {block} is not there, or is being written";
            return;
        }
        var evidence = await witnesses.Of(block, await reading.ExpectedUntilNow(patient, cancellationToken), cancellationToken) with { Alive = alive };
        var operation = PageSurgeon.Operate(page, evidence);
        if (operation is { Corrections.Count: 0, Open.Count: 0 } && patient.Can.DataChecksums != false && !PageChecksum.Matches(page, (uint)block))
            operation = Rotted(page, evidence, block, operation);
        if (!operation.IsWhole)
        {
            Reason ??= operation.Open.Count > 0
                ? $"block {block}: {operation.Open[0].Flaw.Describe()}: {operation.Open[0].Reason}"
                : $"block {block}: every field of it agrees with every other";
            return;
        }
        if (Refuted(page, operation, block) is { } reason)
        {
            Reason ??= reason;
            return;
        }
        mended.Add(MendedPage.Of(block, page, operation.Corrections, patient));
        Rows += operation.Corrections.Where(correction => correction.Item != 0).Select(correction => correction.Item).Distinct().Count();
        await Doubt(operation, block, cancellationToken);
    }

    /// <summary>The page with the one bit set back that explains its checksum; unchanged where none or several do.</summary>
    private PageOperation Rotted(byte[] page, PageEvidence evidence, long block, PageOperation sound)
    {
        var explanations = BitRot.Explanations(page, evidence);
        if (explanations is not [var one])
        {
            Reason ??= explanations.Count == 0
                ? $"block {block}: every field of it agrees with every other, and no single bit explains its checksum: more was changed"
                : $"block {block}: every field of it agrees with every other, and {explanations.Count} single bits would explain its checksum: "
                    + string.Join("; ", explanations.Take(MostTold).Select(bit => $"byte {bit.At}, {bit.What}"));
            return sound;
        }
        var mended = (byte[])page.Clone();
        one.After.Span.CopyTo(mended.AsSpan(one.At));
        return new PageOperation(mended, [one], []);
    }

    /// <summary>
    /// A page whose checksum was wrong before is mended only when the checksum that is stored on it is that of the mended page: that proves both.
    /// </summary>
    private string? Refuted(byte[] page, PageOperation operation, long block) =>
        patient.Can.DataChecksums == false || PageChecksum.Matches(page, (uint)block)
        || PageChecksum.Matches(operation.Page, (uint)block)
            ? null
            : $"block {block}: with {operation.Corrections[0].What} the page would be possible, but its stored checksum says that more was changed";

    private async ValueTask Doubt(PageOperation operation, long block, CancellationToken cancellationToken)
    {
        if (operation.Corrections.FirstOrDefault(correction => correction.NeedsApproval) is { } weak)
            Approval ??= weak.IsGuess
                ? $"block {block}: other changes would make the page possible too; {weak.What} is the one that differs by a single bit"
                : $"block {block}: for {weak.What} there is one witness only ({string.Join(", ", weak.Witnesses.Select(witness => witness.Name))})";
        foreach (var back in operation.Corrections.Where(BringsBack))
            if (Approval is null && await witnesses.Rival(operation.Page, block, back.Item, cancellationToken) is { } rival)
                Approval = $"block {block}: {back.What}, but {rival}";
    }

    /// <summary>Whether a row that no query saw will be seen.</summary>
    private static bool BringsBack(Correction correction) => correction.Item != 0 && correction.Basis == Basis.Testimony;
}
