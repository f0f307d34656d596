using BenchmarkDotNet.Attributes;
using Kintsugi.Pages;

namespace Kintsugi.MicroBench;

/// <summary>The checksum of pages that lie in the processor's cache, and of more than fits there.</summary>
public class ChecksumKernel
{
    private byte[] pages = [];

    [Params(32, 8192)]
    public int Count { get; set; }

    [GlobalSetup]
    public void Fill()
    {
        pages = new byte[Count * PageFormat.Size];
        new Random(20_26).NextBytes(pages);
    }

    [Benchmark]
    public int Checksums()
    {
        var sum = 0;
        for (var page = 0; page < Count; page++)
            sum += PageChecksum.Compute(pages.AsSpan(page * PageFormat.Size, PageFormat.Size), (uint)page);
        return sum;
    }
}
