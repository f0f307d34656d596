using System.Globalization;
using Kintsugi.Pages;
using Kintsugi.Postgres.Files;
using Kintsugi.Postgres.Files.Reading;
using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Operating;

/// <summary>
/// Single pages of the files of a running server: directly where its data directory lies on this machine, else by the server's own hand
/// (pg_read_binary_file, and COPY TO PROGRAM with base64 and dd). Never makes a file longer.
/// </summary>
internal abstract class PageFile(WriteSession session)
{
    protected WriteSession Session => session;

    public static async ValueTask<PageFile> Of(WriteSession session, CancellationToken cancellationToken)
    {
        var directory = await session.Value<string>("SELECT pg_catalog.current_setting('data_directory')", cancellationToken);
        var identifier = await session.Value<string>("SELECT s.system_identifier::pg_catalog.text FROM pg_catalog.pg_control_system() s", cancellationToken);
        // A standby or a copy on this machine has the same identifier at the same path: the postmaster itself has to be the one that answers.
        var postmaster = await session.Value<string>("SELECT pg_catalog.pg_read_file('postmaster.pid', 0, 8192, true)", cancellationToken);
        return directory is not null && LocalFiles.SystemIdentifier(directory) == identifier && postmaster is not null && Postmaster(directory) == postmaster
            ? new Local(session, directory) : new ThroughServer(session);
    }

    /// <summary>Process, directory, start time, port and shared memory of the server that runs there (miscinit.c, CreateLockFile).</summary>
    private static string? Postmaster(string directory)
    {
        try
        {
            return File.ReadAllText(Path.Combine(directory, "postmaster.pid"));
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            // Not this machine's, or not ours to read: the server writes the page itself.
            return null;
        }
    }

    /// <param name="path">pg_relation_filepath.</param>
    /// <returns>Null where the file ends before it.</returns>
    public async ValueTask<byte[]?> Read(string path, long block, CancellationToken cancellationToken)
    {
        var (file, offset) = Forks.Place(path, Forks.Main, block);
        var page = await session.Value<byte[]>("SELECT pg_catalog.pg_read_binary_file($1, $2, $3, true)", cancellationToken,
            file, offset, (long)PageFormat.Size);
        return page is { Length: PageFormat.Size } ? page : null;
    }

    /// <summary>Puts the page there, and it is on the disk when this returns.</summary>
    /// <exception cref="HealingException">It could not be written.</exception>
    public abstract ValueTask Write(string path, long block, ReadOnlyMemory<byte> page, CancellationToken cancellationToken);

    private sealed class Local(WriteSession session, string directory) : PageFile(session)
    {
        public override ValueTask Write(string path, long block, ReadOnlyMemory<byte> page, CancellationToken cancellationToken)
        {
            var (file, offset) = Forks.Place(path, Forks.Main, block);
            try
            {
                using var handle = File.OpenHandle(Path.Combine(directory, file), FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
                if (RandomAccess.GetLength(handle) < offset + page.Length)
                    throw new HealingException($"{file} ends before block {block}: it was cut meanwhile", mayPass: true);
                RandomAccess.Write(handle, page.Span, offset);
                RandomAccess.FlushToDisk(handle);
            }
            catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
            {
                // Another user than the owner, or a unit that sees the files read-only: the server may write what we may not.
                return new ThroughServer(Session).Write(path, block, page, cancellationToken);
            }
            return ValueTask.CompletedTask;
        }
    }

    internal sealed class ThroughServer(WriteSession session) : PageFile(session)
    {
        public override async ValueTask Write(string path, long block, ReadOnlyMemory<byte> page, CancellationToken cancellationToken)
        {
            var (file, offset) = Forks.Place(path, Forks.Main, block);
            // A path by pg_relation_filepath is made of digits, letters, _ and / alone; it goes through a shell.
            if (file.Any(letter => !char.IsAsciiLetterOrDigit(letter) && letter is not ('/' or '_' or '.')))
                throw new HealingException($"{file}: not a path that can be written through the server", mayPass: false);
            var program = $"base64 -d | dd of={file} bs={PageFormat.Size} seek={(offset / PageFormat.Size).ToString(CultureInfo.InvariantCulture)} "
                + "conv=notrunc,nocreat,fsync iflag=fullblock status=none";
            await Session.Execute($"COPY (SELECT {Quote.Literal(Convert.ToBase64String(page.Span))}) TO PROGRAM {Quote.Literal(program)}", cancellationToken);
        }
    }
}
