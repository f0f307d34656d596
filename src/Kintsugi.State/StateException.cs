namespace Kintsugi.State;

/// <summary>
/// Our own memory cannot be used: the message says what happened, where, and the next thing to do. Nothing was changed.
/// </summary>
public sealed class StateException(string message, Exception? inner = null) : Exception(message, inner);
