using Kintsugi.Pages;

namespace Kintsugi.Lab.Damage;

/// <summary>Damage to whole pages or to the file of a table of schema public.</summary>
public abstract class HeapPageInjury(
    string name, string accident, FaultClass fault, string table, string symptom, string? failsWith = null)
    : FileInjury(name, accident, fault, new InjuryTarget("public", table), symptom, failsWith)
{
    private protected override async Task<(RelationFile File, Action<RelationFile> Damage)> Aim(
        InjuryRoom room, CancellationToken cancellationToken) =>
        (await room.FileOf(Target.Relation, cancellationToken), Strike);

    private protected abstract void Strike(RelationFile file);
}

/// <summary>A page of zeros amid a table: legal to every reader, and all of its rows are gone.</summary>
public sealed class HeapPageZeroed : HeapPageInjury
{
    public HeapPageZeroed()
        : base(
            "heap-page-zeroed", "A page was lost after a crash, or zero_damaged_pages was on once.",
            Faults.PageInvalid, "diaries", "SELECT count(entry) < 300 FROM diaries")
    {
        LosesRows = true;
        Alike = [Faults.HeapCorrupt, Faults.PageStale];
    }

    private protected override void Strike(RelationFile file) => file.Write(1, new byte[PageFormat.Size]);
}

/// <summary>The tail of a table's file is gone; sequential scans end early and say nothing.</summary>
public sealed class HeapTruncated : HeapPageInjury
{
    public HeapTruncated()
        : base(
            "heap-truncated", "A copy of the data directory was cut short, or the file system lost the end of a file.",
            Faults.FileTruncated, "movie_genres",
            "SET enable_seqscan = off; SET enable_bitmapscan = off; SELECT sum(weight) FROM movie_genres WHERE movie_id > 0",
            "XX001")
    {
        LosesRows = true;
        Alike = [Faults.HeapCorrupt];
    }

    private protected override void Strike(RelationFile file) => file.Truncate(file.Blocks / 2);
}

/// <summary>A page lies where another belongs, and carries the checksum of that place.</summary>
public sealed class HeapPageMisplaced : HeapPageInjury
{
    public HeapPageMisplaced()
        : base(
            "heap-page-misplaced", "The storage wrote a page to the wrong place, and a later write sealed it there.",
            Faults.PageInvalid, "watch_history_rest", "SELECT count(*) > count(DISTINCT id || device) FROM watch_history_rest")
    {
        LosesRows = true;
        Alike = [Faults.HeapCorrupt, Faults.UniqueViolated];
    }

    private protected override void Strike(RelationFile file) => file.Edit(1, page => file.Read(2).CopyTo(page, 0));
}

/// <summary>Half of a page is new, half is old.</summary>
public sealed class HeapPageTorn : FileInjury
{
    public HeapPageTorn()
        : base(
            "heap-page-torn", "Power failed in the middle of a page write, on a server with full_page_writes off.",
            Faults.PageChecksum, new InjuryTarget("public", "specimens"), "SELECT count(amount) FROM specimens", "XX001")
    {
        LosesRows = true;
        Alike = [Faults.HeapCorrupt];
    }

    private protected override async Task<(RelationFile File, Action<RelationFile> Damage)> Aim(
        InjuryRoom room, CancellationToken cancellationToken)
    {
        var file = await room.FileOf(Target.Relation, cancellationToken);
        var old = file.Read(0);
        // There and back: the rows are the same, the page is not.
        await room.Execute("UPDATE specimens SET flag = NOT flag; UPDATE specimens SET flag = NOT flag", cancellationToken);
        file = await room.FileOf(Target.Relation, cancellationToken);
        return (file, f => f.Rot(0, page => old.AsSpan(PageFormat.Size / 2).CopyTo(page.AsSpan(PageFormat.Size / 2))));
    }
}

/// <summary>A page went back to what it was before its last write; everything about it is valid.</summary>
public sealed class LostWrite : FileInjury
{
    public LostWrite()
        : base(
            "lost-write", "The storage acknowledged a write and never did it: the page is whole, only old.",
            Faults.PageStale, new InjuryTarget("public", "clips"), "SELECT count(*) = 0 FROM ONLY clips WHERE seconds > 1000")
    {
        LosesRows = true;
        Alike = [Faults.HeapCorrupt];
    }

    private protected override async Task<(RelationFile File, Action<RelationFile> Damage)> Aim(
        InjuryRoom room, CancellationToken cancellationToken)
    {
        var old = (await room.FileOf(Target.Relation, cancellationToken)).Read(0);
        await room.Execute("UPDATE ONLY clips SET seconds = seconds + 1000", cancellationToken);
        return (await room.FileOf(Target.Relation, cancellationToken), file => file.Write(0, old));
    }
}

/// <summary>The file of a table is gone.</summary>
public sealed class RelationFileMissing() : HeapPageInjury(
    "file-missing", "Somebody cleaned up by hand, or a file system check moved the file to lost+found.",
    Faults.FileMissing, "import_lines", "SELECT count(*) FROM import_lines", "58P01")
{
    private protected override void Strike(RelationFile file) => File.Delete(file.Path);
}
