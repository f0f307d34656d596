namespace Kintsugi.Postgres.Repairs.Cluster;

/// <summary>What a lost file of a stopped cluster held, or why that cannot be told.</summary>
internal abstract record ClusterMend
{
    private ClusterMend()
    {
    }

    /// <param name="Why">From where it is known.</param>
    public sealed record Content(byte[] Bytes, string Why) : ClusterMend
    {
        /// <summary>What could not be told and does not matter, or only to somebody who knows.</summary>
        public IReadOnlyList<string> Warnings { get; init; } = [];
    }

    /// <summary>An empty directory is made.</summary>
    public sealed record Folder(string Why) : ClusterMend
    {
        public IReadOnlyList<string> Warnings { get; init; } = [];
    }

    /// <summary>A link is made.</summary>
    public sealed record Link(string Target, string Why) : ClusterMend
    {
        public IReadOnlyList<string> Warnings { get; init; } = [];
    }

    /// <summary>The file is taken away, and kept.</summary>
    public sealed record Removal(string Why) : ClusterMend;

    /// <param name="Reason">What is missing for a proof, with the commands that a person could run and what each would lose.</param>
    public sealed record Unknown(string Reason) : ClusterMend;
}
