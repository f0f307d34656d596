using Kintsugi.Pages;

namespace Kintsugi.Lab.Damage;

/// <summary>One file of a relation, as the damaging side sees it: pages to read, change and put back.</summary>
internal sealed class RelationFile(string path)
{
    public string Path { get; } = path;

    public long Length => new FileInfo(Path).Length;

    public int Blocks => (int)(Length / PageFormat.Size);

    public byte[] Read(int block)
    {
        using var file = File.OpenRead(Path);
        file.Position = (long)block * PageFormat.Size;
        var page = new byte[PageFormat.Size];
        file.ReadExactly(page);
        return page;
    }

    public void Write(int block, byte[] page)
    {
        using var file = File.OpenWrite(Path);
        file.Position = (long)block * PageFormat.Size;
        file.Write(page);
    }

    /// <summary>Changes a page and gives it the checksum that belongs to it: damage done by memory or software.</summary>
    public void Edit(int block, Action<byte[]> change)
    {
        var page = Read(block);
        change(page);
        PageChecksum.Seal(page, (uint)block);
        Write(block, page);
    }

    /// <summary>Changes a page and leaves the old checksum: damage done by the disk.</summary>
    public void Rot(int block, Action<byte[]> change)
    {
        var page = Read(block);
        change(page);
        Write(block, page);
    }

    public void Truncate(int blocks)
    {
        using var file = File.OpenWrite(Path);
        file.SetLength((long)blocks * PageFormat.Size);
    }

    /// <summary>The first block whose page fits.</summary>
    public int Find(Func<byte[], bool> fits, string what)
    {
        for (var block = 0; block < Blocks; block++)
            if (fits(Read(block)))
                return block;
        throw new LabException($"{Path} has no page with {what}.");
    }
}

/// <summary>A change to the files of a stopped server, and what it does in a few words.</summary>
public sealed record FileDamage(string What, Action Apply);
