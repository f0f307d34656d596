using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;

namespace Kintsugi.State;

/// <summary>SHA-256 of a whole file, read in large pieces: the framework's own helper reads 4 kB at a time.</summary>
internal static class Sum
{
    private const int Piece = 1 << 20;

    public static string Of(SafeFileHandle file, CancellationToken cancellationToken)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        // Rented: a new megabyte for each of many files keeps the garbage collector busier than the copying.
        using var buffer = ReadBuffer.Rent((int)Math.Clamp(RandomAccess.GetLength(file), 1, Piece));
        for (var offset = 0L; ;)
        {
            cancellationToken.ThrowIfCancellationRequested();
            // Not awaited: handing over a read to another thread costs more than one from memory.
            var read = RandomAccess.Read(file, buffer.Bytes.Span, offset);
            if (read == 0)
                return Convert.ToHexStringLower(hash.GetHashAndReset());
            hash.AppendData(buffer.Bytes.Span[..read]);
            offset += read;
        }
    }
}
