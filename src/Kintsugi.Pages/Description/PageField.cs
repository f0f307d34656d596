namespace Kintsugi.Pages.Description;

/// <summary>One named thing on a page: a value, or a group of them.</summary>
/// <param name="Name">What it is called, in PostgreSQL's own words.</param>
/// <param name="At">Byte offset on the page, -1 for what does not stand there as such.</param>
/// <param name="Length">Bytes it takes, 0 when not of its own.</param>
/// <param name="Value">For people; empty for a group.</param>
public sealed record PageField(string Name, int At, int Length, string Value)
{
    /// <summary>What belongs to it.</summary>
    public IReadOnlyList<PageField> Fields { get; init; } = [];

    /// <summary>What is wrong about it, each a sentence.</summary>
    public IReadOnlyList<string> Wrong { get; init; } = [];
}

/// <summary>A page taken apart for people: neutral, so that it can be printed as text or JSON.</summary>
/// <param name="Kind">Heap, toast, an access method, a map, sequence, new or unknown, in lower case.</param>
/// <param name="Block">Its number within the fork.</param>
/// <param name="Root">Everything on it.</param>
/// <param name="Flaws">Everything wrong with it, as the inspectors found it.</param>
public sealed record PageDescription(string Kind, uint Block, PageField Root, IReadOnlyList<Flaw> Flaws);
