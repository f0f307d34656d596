namespace Kintsugi.Pages.Values;

/// <summary>What must be known of a type to write one of its stored values as text.</summary>
/// <param name="Output">
/// The server's own function behind its output (pg_proc.prosrc), which tells the stored form: a domain has that of its base type, citext that of text.
/// </param>
/// <param name="Length">typlen.</param>
/// <param name="Alignment">typalign in bytes.</param>
/// <param name="Element">Of an array, its elements' type.</param>
public sealed record DatumType(string Output, short Length, byte Alignment, DatumType? Element = null);

/// <summary>The label of an enum's value by its OID (pg_enum); null for one that is not there.</summary>
public delegate string? EnumLabel(uint oid);
