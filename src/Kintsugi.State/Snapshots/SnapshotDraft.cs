using System.Security.Cryptography;
using System.Text;

namespace Kintsugi.State;

/// <summary>A snapshot that is being written in a directory that no listing shows.</summary>
internal sealed class SnapshotDraft(string directory, string final, SnapshotManifest begun, FileCopy copy) : ISnapshotDraft
{
    /// <summary>Up to here files are synced one by one; beyond it the whole file system at once is quicker.</summary>
    private const int FewFiles = 64;

    /// <summary>Files that are summed and brought to disk while the next is copied: two keep both busy, and hold two handles and two buffers.</summary>
    private const int AtOnce = 2;

    private readonly List<SnapshotFile> files = [];
    private readonly Queue<Task<SnapshotFile>> finishing = new();
    private readonly List<string> directories = [];
    private bool complete;

    public string Id { get; } = begun.Id;

    public async ValueTask<bool> Copy(
        string source, string name, AmendCopy? amend,
            CancellationToken cancellationToken)
    {
        try
        {
            using var from = File.OpenHandle(source, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            await Add(name, amend, async file => await copy.Copy(from, file.SafeFileHandle, cancellationToken),
                cancellationToken);
            return true;
        }
        catch (Exception gone) when (gone is FileNotFoundException or DirectoryNotFoundException)
        {
            return false;
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            throw Failed($"{source} could not be copied to {directory}", problem);
        }
    }

    public async ValueTask Write(
        string name, IAsyncEnumerable<ReadOnlyMemory<byte>> pieces, AmendCopy? amend,
        CancellationToken cancellationToken)
    {
        try
        {
            await Add(name, amend, async file =>
            {
                await foreach (var piece in pieces.WithCancellation(cancellationToken))
                    await file.WriteAsync(piece, cancellationToken);
            }, cancellationToken);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            throw Failed($"{name} could not be written to {directory}", problem);
        }
    }

    public void AddDirectory(string name)
    {
        Directory.CreateDirectory(Place(name));
        directories.Add(name);
    }

    public async ValueTask Complete(Func<SnapshotManifest, SnapshotManifest> finish, CancellationToken cancellationToken)
    {
        try
        {
            while (finishing.Count > 0)
                await TakeIn();
            var manifest = finish(begun with { Files = files, Directories = directories, Complete = true });
            var text = ManifestJson.Write(manifest);
            await Put(SnapshotStore.ManifestName, text, cancellationToken);
            var sum = $"{Convert.ToHexStringLower(SHA256.HashData(text))}  {SnapshotStore.ManifestName}\n";
            await Put(SnapshotStore.SumName, Encoding.ASCII.GetBytes(sum), cancellationToken);
            if (files.Count > FewFiles)
                LinuxFiles.SyncFileSystem(directory);
            foreach (var path in Directory.EnumerateDirectories(directory, "*", SearchOption.AllDirectories).Append(directory))
                LinuxFiles.SyncDirectory(path);
            Directory.Move(directory, final);
            LinuxFiles.SyncDirectory(Path.GetDirectoryName(final)!);
            complete = true;
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            throw Failed($"the snapshot {Id} could not be completed", problem);
        }
    }

    public async ValueTask DisposeAsync()
    {
        // What is still at work holds files of the directory. Why it failed was said by whoever asked for the snapshot.
        await Task.WhenAll(finishing).ContinueWith(_ => { }, TaskScheduler.Default);
        if (!complete && Directory.Exists(directory))
            Directory.Delete(directory, recursive: true);
    }

    private async ValueTask Add(
        string name, AmendCopy? amend, Func<FileStream, Task> fill,
        CancellationToken cancellationToken)
    {
        if (finishing.Count == AtOnce)
            await TakeIn();
        var place = Place(name);
        Directory.CreateDirectory(Path.GetDirectoryName(place)!);
        var file = new FileStream(place, PrivateFile.Create);
        try
        {
            await fill(file);
            await file.FlushAsync(cancellationToken);
            var note = amend is null ? null : await amend(file, cancellationToken);
            var few = files.Count + finishing.Count < FewFiles;
            finishing.Enqueue(Task.Run(() => Finish(name, file, note, few, cancellationToken), CancellationToken.None));
        }
        catch
        {
            await file.DisposeAsync();
            throw;
        }
    }

    private async ValueTask TakeIn() => files.Add(await finishing.Dequeue());

    private static async Task<SnapshotFile> Finish(string name, FileStream file, string? note, bool flush, CancellationToken cancellationToken)
    {
        try
        {
            await using var held = file;
            // The disk begins now: at the end there is the less to wait for.
            LinuxFiles.BeginToWrite(file.SafeFileHandle);
            var sum = Sum.Of(file.SafeFileHandle, cancellationToken);
            if (flush)
                RandomAccess.FlushToDisk(file.SafeFileHandle);
            return new SnapshotFile(name, file.Length, sum, note);
        }
        catch (IOException problem)
        {
            throw Failed($"{file.Name} was written, and could not be read again or brought to disk", problem);
        }
    }

    private async ValueTask Put(string name, byte[] text, CancellationToken cancellationToken)
    {
        await using var file = new FileStream(Path.Combine(directory, name), PrivateFile.Create);
        await file.WriteAsync(text, cancellationToken);
        file.Flush(flushToDisk: true);
    }

    private string Place(string name) => SafeName.Join(directory, name);

    private static HealingException Failed(string what, Exception problem) =>
        new($"{what}: {problem.Message} No snapshot, no repair: make room or give rights there, then run again.", mayPass: false,
            problem);
}
