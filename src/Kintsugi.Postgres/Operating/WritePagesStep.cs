using System.Globalization;
using Kintsugi.Pages;
using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Operating;

/// <summary>Replaces pages of a table's file under a running server, each only while it is the page that was planned for.</summary>
internal sealed class WritePagesStep : IStepRunner
{
    public const string Name = "write-pages";

    /// <summary>A statement that keeps all others out and changes nothing, where LOCK TABLE cannot.</summary>
    public const string HoldArgument = "hold";

    /// <summary>pd_lsn and pd_checksum come first (bufpage.h) and are the server's to change.</summary>
    private const int ChecksumAt = 8, Sealed = 10;

    public string Kind => Name;

    /// <summary>The pages as they are: a power cut in the middle of writing one would leave half of each.</summary>
    public async ValueTask<IReadOnlyDictionary<string, string>> Remember(Step step, WriteSession session, CancellationToken cancellationToken)
    {
        var file = await PageFile.Of(session, cancellationToken);
        var remembered = new Dictionary<string, string>();
        foreach (var change in PageChange.Read(step["pages"]))
            if (await file.Read(step["path"], change.Block, cancellationToken) is { } page)
                remembered[change.Block.ToString(CultureInfo.InvariantCulture)] = Convert.ToBase64String(page);
        return remembered;
    }

    public async ValueTask<StepResult> Run(StepContext context, CancellationToken cancellationToken)
    {
        var changes = PageChange.Read(context.Step["pages"]);
        var left = await new PageExchange(context.Step, context.Session).Run(changes, (change, page) => PageChange.Sum(page) == change.Before ? change.After
            : throw new HealingException($"block {change.Block} of {context.Step["relation"]} has changed since the plan was made", mayPass: true), cancellationToken);
        return new StepResult($"{changes.Count} {(changes.Count == 1 ? "page" : "pages")} written, and read back through the server"
            + (left is null ? "" : $"; {left}"))
        {
            RowsChanged = long.Parse(context.Step["rows"], CultureInfo.InvariantCulture),
        };
    }

    public async ValueTask<string?> CleanUp(
        Step step, IReadOnlyDictionary<string, string> remembered, WriteSession session, CancellationToken cancellationToken)
    {
        var file = await PageFile.Of(session, cancellationToken);
        var torn = new List<PageChange>();
        var written = 0;
        foreach (var change in PageChange.Read(step["pages"]))
        {
            var page = await file.Read(step["path"], change.Block, cancellationToken);
            if (page is null || !remembered.TryGetValue(change.Block.ToString(CultureInfo.InvariantCulture), out var text))
                continue;
            var before = Convert.FromBase64String(text);
            if (page.AsSpan().SequenceEqual(change.After))
                written++;
            if (IsTorn(page, before, change.After))
                torn.Add(new PageChange(change.Block, PageChange.Sum(page), before));
        }
        var major = await session.Value<int>("SELECT pg_catalog.current_setting('server_version_num')::pg_catalog.int4 / 10000", cancellationToken);
        await new BufferEviction(session, major).Release(cancellationToken);
        if (torn.Count == 0)
            return written == 0 ? null : $"nothing: {written} pages of {step["relation"]} had been written whole, and kintsugi undo takes them back";
        await new PageExchange(step, session).Run(torn, (change, page) => PageChange.Sum(page) == change.Before ? change.After
            : throw new HealingException($"block {change.Block} of {step["relation"]} is being written", mayPass: true), cancellationToken);
        return $"{torn.Count} half-written pages of {step["relation"]} put back as they were";
    }

    /// <summary>Puts the damage back, byte for byte, whatever else was written to the pages since.</summary>
    /// <exception cref="HealingException">What was mended has been changed since, or the table was rewritten.</exception>
    public static async ValueTask<int> Undo(
        Step step, IReadOnlyDictionary<string, string> remembered, WriteSession session, CancellationToken cancellationToken)
    {
        var checksums = await session.Value<string>("SELECT pg_catalog.current_setting('data_checksums')", cancellationToken) == "on";
        var changes = PageChange.Read(step["pages"]);
        var undone = 0;
        await new PageExchange(step, session) { MustRead = false }.Run(changes, (change, page) =>
        {
            var before = Convert.FromBase64String(remembered[change.Block.ToString(CultureInfo.InvariantCulture)]);
            for (var at = Sealed; at < PageFormat.Size; at++)
            {
                // The step may have been cut off before it came to this page.
                if (before[at] == change.After[at] || page[at] == before[at])
                    continue;
                if (page[at] != change.After[at])
                    throw new HealingException($"byte {at} of block {change.Block} of {step["relation"]} has been changed since it was mended: nothing was undone", mayPass: false);
                page[at] = before[at];
            }
            undone++;
            if (checksums && PageChecksum.Matches(before, (uint)change.Block))
                PageChecksum.Seal(page, (uint)change.Block);
            else if (checksums)
                before.AsSpan(ChecksumAt, 2).CopyTo(page.AsSpan(ChecksumAt));
            return page;
        }, cancellationToken);
        return undone;
    }

    /// <summary>Made of nothing but pieces of the two, and equal to neither: a disk writes sectors of 512 bytes whole.</summary>
    private static bool IsTorn(ReadOnlySpan<byte> page, ReadOnlySpan<byte> before, ReadOnlySpan<byte> after)
    {
        if (page.SequenceEqual(before) || page.SequenceEqual(after))
            return false;
        for (var at = 0; at < PageFormat.Size; at += 512)
        {
            var sector = page.Slice(at, 512);
            if (!sector.SequenceEqual(before.Slice(at, 512)) && !sector.SequenceEqual(after.Slice(at, 512)))
                return false;
        }
        return true;
    }
}
