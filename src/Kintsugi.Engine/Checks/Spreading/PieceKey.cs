using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Kintsugi;

/// <summary>One word for a piece of a check, the same in every process that divides the same database.</summary>
public static class PieceKey
{
    /// <summary>The place, and the file that it lies in: a table that was rewritten or made anew is another one.</summary>
    public static string Of(string check, Portion piece) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\u001f',
        check, piece.Target.Database, Proof.Place(piece.Target),
        piece.FirstBlock.ToString(CultureInfo.InvariantCulture), piece.Blocks.ToString(CultureInfo.InvariantCulture),
        piece.Relation?.Oid.ToString(CultureInfo.InvariantCulture), piece.Relation?.Path))).AsSpan(0, 16));
}
