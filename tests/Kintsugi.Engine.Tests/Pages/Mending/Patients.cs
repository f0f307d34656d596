using System.Buffers.Binary;
using CsCheck;
using Kintsugi.Pages;
using Kintsugi.Pages.Heap;
using Kintsugi.Pages.Mending;

namespace Kintsugi.Engine.Tests.Pages.Mending;

/// <summary>Captured pages to be damaged, with what is known about them.</summary>
internal static class Patients
{
    public static readonly string[] Names = ["heap-hot", "heap-wide", "heap-toasted", "heap-toasted-13"];

    public static readonly Gen<string> Name = Gen.Int[0, Names.Length - 1].Select(index => Names[index]);

    public static PageEvidence Evidence(string name, bool indexed = true)
    {
        var evidence = new PageEvidence(HeapPageInspectorTests.Expected(name));
        return indexed ? evidence with { Indexed = Indexed(Captured.Page(name)) } : evidence;
    }

    /// <summary>Items of the page by what is asked of their header.</summary>
    public static int[] Items(byte[] page, Func<HeapTupleHeader, bool> which) =>
        [.. Enumerable.Range(1, PageHeader.Read(page).ItemCount).Where(item =>
            LinePointer.Read(page, item).State == LinePointerState.Normal && which(Head(page, item)))];

    public static HeapTupleHeader Head(byte[] page, int item)
    {
        var pointer = LinePointer.Read(page, item);
        return HeapTupleHeader.Read(page.AsSpan(pointer.Offset, pointer.Length));
    }

    public static int Offset(byte[] page, int item) => LinePointer.Read(page, item).Offset;

    public static void Write(byte[] page, int at, uint value) => BinaryPrimitives.WriteUInt32LittleEndian(page.AsSpan(at), value);

    public static void Write(byte[] page, int at, ushort value) => BinaryPrimitives.WriteUInt16LittleEndian(page.AsSpan(at), value);

    public static void Turn(byte[] page, int at, int bits) =>
        Write(page, at, (ushort)(BinaryPrimitives.ReadUInt16LittleEndian(page.AsSpan(at)) ^ bits));

    /// <summary>A page and one of its items of that kind, at random.</summary>
    public static Gen<(string Name, byte[] Page, int Item)> Any(Func<HeapTupleHeader, bool> which)
    {
        var names = Names.Where(name => Items(Captured.Page(name), which).Length > 0).ToArray();
        return Gen.Select(Gen.Int[0, names.Length - 1], Gen.Int[0, 1000]).Select((at, pick) =>
        {
            var page = Captured.Page(names[at]);
            var items = Items(page, which);
            return (names[at], page, items[pick % items.Length]);
        });
    }

    // Every root that leads to a row has an entry in a whole index: plain tuples, redirects, dead line pointers.
    private static HashSet<int> Indexed(byte[] page) => [.. Enumerable.Range(1, PageHeader.Read(page).ItemCount).Where(item =>
        LinePointer.Read(page, item).State switch
        {
            LinePointerState.Normal => !Head(page, item).IsHeapOnly,
            LinePointerState.Unused => false,
            _ => true,
        })];
}
