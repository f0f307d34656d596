using Kintsugi.Bench.Reporting;

namespace Kintsugi.Bench;

/// <summary>One kind of work that we and others do.</summary>
internal interface IBenchmark
{
    /// <summary>As `./bench/run NAME` takes it.</summary>
    string Name { get; }

    /// <summary>One sentence: what is compared, on what.</summary>
    string What { get; }

    Task Run(Room room, Report report, CancellationToken cancellationToken);
}
