namespace Kintsugi.Lab;

/// <summary>The lab could not do what was asked; the message says what, where and what to do next.</summary>
public sealed class LabException(string message, Exception? inner = null) : Exception(message, inner);
