namespace Kintsugi.Bench;

/// <summary>What was measured is not what it should be; the message has the program's own words.</summary>
internal sealed class BenchException(string message) : Exception(message);
