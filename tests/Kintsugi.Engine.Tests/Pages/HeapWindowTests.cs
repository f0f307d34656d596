using System.Buffers.Binary;
using Kintsugi.Pages;
using Kintsugi.Postgres.Checks.Indexes;

namespace Kintsugi.Engine.Tests.Pages;

/// <summary>A table that is taken in several stretches is told of each place as if it were asked of the page itself.</summary>
public sealed class HeapWindowTests
{
    private const int Limit = 3;

    [Theory, InlineData(1), InlineData(2), InlineData(3)]
    public void Stretches_say_of_every_place_what_its_page_says(int seed)
    {
        var random = new Random(seed);
        // Full, empty, all zero, not believed and missing ones among them.
        var pages = Enumerable.Range(0, 11).Select(n => n switch { 3 => new byte[PageFormat.Size], 4 => Page(random, 0), 5 => Page(random, 291), _ => Page(random, random.Next(1, 292)) }).ToList();
        var end = pages.Count + 2L;
        var (stretches, told) = (0, 0L);
        for (var first = 0L; first < end; stretches++)
        {
            var window = new HeapWindow(first, end, Limit);
            while (!window.IsFull && first + window.Blocks < end)
                if (first + window.Blocks is var block && block < pages.Count)
                    window.Add(pages[(int)block], Believed(block), endedBefore: 1000);
                else
                    window.AddMissing();
            told += AssertTells(window, pages, end, random);
            first += window.Blocks;
        }
        Assert.Equal((5, end * PageFormat.MaxHeapItems), (stretches, told));
    }

    [Fact]
    public void What_one_index_had_is_forgotten_for_the_next()
    {
        var window = new HeapWindow(0, 1);
        window.Add(Page(new Random(4), 100), believed: true, endedBefore: 1000);
        var all = window.Missing().ToList();
        Assert.NotEmpty(all);

        Assert.True(window.See(all[0]));
        Assert.False(window.See(all[0]));
        Assert.Equal(all.Skip(1), window.Missing());

        window.ForgetSeen();
        Assert.Equal(all, window.Missing());
    }

    private static bool Believed(long block) => block != 7;

    /// <summary>Sees half of the places that may be led to, and expects the other half of those that must be.</summary>
    private static long AssertTells(HeapWindow window, List<byte[]> pages, long end, Random random)
    {
        var (missing, told) = (new List<Tid>(), 0L);
        for (var block = window.First; block < window.First + window.Blocks; block++)
            for (var item = 1; item <= PageFormat.MaxHeapItems; item++, told++)
            {
                var tid = new Tid((uint)block, item);
                Assert.True(window.Holds(tid));
                var isThere = block < pages.Count;
                var bars = !isThere || (Believed(block) && HeapSlots.Judge(pages[(int)block], item) != SlotFault.None);
                Assert.True(bars == window.Bars(tid), $"{tid} is barred: {bars}");
                var wants = isThere && Believed(block) && !bars && HeapSlots.LiveMember(pages[(int)block], item, 1000) != 0;
                if (!bars && random.Next(2) == 0)
                {
                    Assert.True(window.See(tid));
                    Assert.False(window.See(tid));
                }
                else if (wants)
                    missing.Add(tid);
            }
        Assert.Equal(missing, window.Missing());
        Assert.False(window.Holds(new Tid((uint)(window.First + window.Blocks), 1)));
        Assert.True(window.First + window.Blocks <= end);
        return told;
    }

    /// <summary>A heap page whose line pointers are unused, dead, or lead to a live row or into a HOT chain (bufpage.h, htup_details.h).</summary>
    private static byte[] Page(Random random, int items)
    {
        var page = new byte[PageFormat.Size];
        var upper = PageFormat.Size;
        for (var item = 0; item < items; item++)
        {
            var state = random.Next(4);
            var pointer = state == 1 ? 3u << 15 : 0u;
            if (state > 1)
            {
                upper -= 24;
                var tuple = page.AsSpan(upper, 24);
                BinaryPrimitives.WriteUInt32LittleEndian(tuple, 700);
                BinaryPrimitives.WriteUInt16LittleEndian(tuple[16..], (ushort)(item + 1));
                BinaryPrimitives.WriteUInt16LittleEndian(tuple[18..], state == 3 && random.Next(3) == 0 ? (ushort)0x8000 : (ushort)0);
                BinaryPrimitives.WriteUInt16LittleEndian(tuple[20..], 0x0B00);
                tuple[22] = 24;
                pointer = (uint)upper | (1u << 15) | (24u << 17);
            }
            BinaryPrimitives.WriteUInt32LittleEndian(page.AsSpan(24 + (item * 4)), pointer);
        }
        BinaryPrimitives.WriteUInt16LittleEndian(page.AsSpan(12), (ushort)(24 + (items * 4)));
        BinaryPrimitives.WriteUInt16LittleEndian(page.AsSpan(14), (ushort)upper);
        BinaryPrimitives.WriteUInt16LittleEndian(page.AsSpan(16), PageFormat.Size);
        BinaryPrimitives.WriteUInt16LittleEndian(page.AsSpan(18), PageFormat.Size | 4);
        return page;
    }
}
