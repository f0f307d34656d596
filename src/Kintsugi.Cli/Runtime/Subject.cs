namespace Kintsugi.Cli.Runtime;

/// <summary>What a document is about: a server that was asked, or the files of one.</summary>
/// <param name="Place">How it was reached: the connection without its password, or the data directory.</param>
internal sealed record Subject(Capabilities Server, string Place, Registry Registry);
