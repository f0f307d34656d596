namespace Kintsugi;

/// <summary>A password, key or token: text that must never reach a log, an error, a metric or the ledger.</summary>
/// <remarks>It prints as "(secret)" wherever it is formatted; only <see cref="Reveal"/> gives the text.</remarks>
public sealed class Secret(string text)
{
    private readonly string _text = text ?? throw new ArgumentNullException(nameof(text));

    /// <summary>The text itself: for the one call that needs it, never to be kept or formatted.</summary>
    public string Reveal() => _text;

    public override string ToString() => "(secret)";
}
