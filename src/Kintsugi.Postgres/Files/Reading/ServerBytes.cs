using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Files.Reading;

/// <summary>
/// The same files through the server: pg_read_binary_file gives the bytes of the disk, not those of shared buffers
/// (manual, "Generic File Access Functions"). For a server on another machine whose role may call it.
/// </summary>
internal sealed class ServerBytes(IReadSession session, Pace pace) : IByteSource
{
    /// <summary>Whether this role may call both functions.</summary>
    public static async ValueTask<bool> MayRead(IReadSession session, CancellationToken cancellationToken) =>
        (await session.Rows(
            "SELECT pg_catalog.has_function_privilege('pg_catalog.pg_read_binary_file(text,bigint,bigint,boolean)', 'EXECUTE') "
            + "AND pg_catalog.has_function_privilege('pg_catalog.pg_stat_file(text,boolean)', 'EXECUTE')",
            row => row.GetBoolean(0), cancellationToken))[0];

    public async ValueTask<long> Length(string path, CancellationToken cancellationToken)
    {
        var size = await session.Rows("SELECT size FROM pg_catalog.pg_stat_file($1, true)",
            row => row.IsDBNull(0) ? -1 : row.GetInt64(0), cancellationToken, path);
        return size.Count == 0 ? -1 : size[0];
    }

    public async ValueTask<int> Read(string path, long offset, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        await pace.Spend(buffer.Length, cancellationToken);
        var read = await session.Rows("SELECT pg_catalog.pg_read_binary_file($1, $2, $3, true)", row => row.CopyTo(0, buffer), cancellationToken,
            path, offset, (long)buffer.Length);
        return read[0];
    }

    public void Reopen()
    {
        // The server opens the file at every call.
    }

    public void Dispose()
    {
        // The session belongs to the patient.
    }
}
