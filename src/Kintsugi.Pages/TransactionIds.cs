namespace Kintsugi.Pages;

/// <summary>Order of 32-bit transaction ids and multixact ids, which run in a circle (transam.h, multixact.h).</summary>
public static class TransactionIds
{
    /// <summary>No transaction.</summary>
    public const uint Invalid = 0;

    /// <summary>What a frozen tuple's xmin reads as.</summary>
    public const uint Frozen = 2;

    /// <summary>The first id that a transaction can get.</summary>
    public const uint FirstNormal = 3;

    /// <summary>Whether the id is one that was handed to a transaction.</summary>
    public static bool IsNormal(uint xid) => xid >= FirstNormal;

    /// <summary>Whether the left one is older; ids below 3 are older than all others.</summary>
    public static bool Precedes(uint left, uint right) =>
        IsNormal(left) && IsNormal(right) ? unchecked((int)(left - right)) < 0 : left < right;

    /// <summary>Whether the left multixact is older.</summary>
    public static bool MultiPrecedes(uint left, uint right) => unchecked((int)(left - right)) < 0;
}
