using Kintsugi.Pages;

namespace Kintsugi.Postgres.Checks.Indexes;

/// <summary>An entry that leads where no row can be, or that leads to a row for the second time.</summary>
/// <param name="Index">The index that holds it.</param>
/// <param name="Page">The index page that it stands on.</param>
/// <param name="Tid">Where it leads.</param>
/// <param name="Fault">Why no row can be there; None for the second entry of one row.</param>
internal sealed record EntrySuspicion(Located Index, long Page, Tid Tid, SlotFault Fault);

/// <summary>A row that the index has no entry for.</summary>
/// <param name="Root">The place that the entry would lead to.</param>
internal sealed record MissingEntry(Located Index, Tid Root);

/// <summary>A page of an index that cannot be a page of it.</summary>
/// <param name="Parent">The page that leads to it, or -1 when the page itself is impossible.</param>
internal sealed record StructureSuspicion(Located Index, long Page, long Parent, string Evidence);

/// <summary>Everything about one table and its indexes that a first look raised; bounded, because a table cut in half raises millions.</summary>
internal sealed class Suspicions
{
    /// <summary>Of each sort and index: enough to see the extent, and what lies behind is of the same kind.</summary>
    public const int Most = 5000;

    public List<EntrySuspicion> Entries { get; } = [];
    public List<MissingEntry> Missing { get; } = [];
    public List<StructureSuspicion> Structure { get; } = [];

    /// <summary>Why a part could not be looked at, by index.</summary>
    public Dictionary<Located, string> Doubts { get; } = [];

    public bool None => Entries.Count == 0 && Missing.Count == 0 && Structure.Count == 0;

    public bool IsBroken(Located index) => Structure.Exists(suspicion => suspicion.Index == index);
}
