namespace Kintsugi.Postgres.Connecting;

/// <summary>The connection settings contradict themselves or cannot be read. The message says what, where it came from and
/// what to do next, and never holds a password or a piece of one.</summary>
public sealed class ConnectionSettingsException(string message) : Exception(message);
