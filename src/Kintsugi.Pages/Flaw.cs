namespace Kintsugi.Pages;

/// <summary>One thing on a page that cannot be so. A plain value, so that a scan of sound pages allocates nothing.</summary>
/// <param name="Kind">What is impossible.</param>
/// <param name="At">Byte offset in the page (or in the file that was read) of the field that says so.</param>
/// <param name="Item">Line pointer number (from 1), 0 when the flaw is not of one item.</param>
/// <param name="Column">Attribute number (from 1, as in pg_attribute), 0 when the flaw is not of one column.</param>
/// <param name="Actual">What stands there.</param>
/// <param name="Expected">What should stand there, or its limit.</param>
public readonly record struct Flaw(
    FlawKind Kind, int At, int Item = 0, int Column = 0, long Actual = 0, long Expected = 0)
{
    /// <summary>One sentence: place, expected, actual.</summary>
    public string Describe() => FlawText.Of(this);

    /// <inheritdoc/>
    public override string ToString() => Describe();
}
