using System.Buffers;
using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;

namespace Kintsugi.State;

/// <summary>SHA-256 of a whole file, read in large pieces: the framework's own helper reads 4 kB at a time.</summary>
internal static class Sum
{
    private const int Piece = 1 << 20;

    public static async ValueTask<string> Of(SafeFileHandle file, CancellationToken cancellationToken)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        // Rented: a new megabyte for each of many files keeps the garbage collector busier than the copying.
        var buffer = ArrayPool<byte>.Shared.Rent((int)Math.Clamp(RandomAccess.GetLength(file), 1, Piece));
        try
        {
            for (var offset = 0L; ;)
            {
                var read = await RandomAccess.ReadAsync(file, buffer, offset, cancellationToken);
                if (read == 0)
                    return Convert.ToHexStringLower(hash.GetHashAndReset());
                hash.AppendData(buffer, 0, read);
                offset += read;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
