using System.Security.Cryptography;
using System.Text;

namespace Kintsugi;

/// <summary>Evidence of damage at one place; immutable.</summary>
public sealed record Finding(FaultClass Fault, Target Target, string Evidence)
{
    /// <summary>Id of the check that accuses, and that alone can acquit.</summary>
    public string Check { get; init; } = "";
    public Severity? SeverityOverride { get; init; }
    public Severity Severity => SeverityOverride ?? Fault.Severity;
    public string? SqlState { get; init; }
    public string? Hint { get; init; }

    /// <summary>How many rows share this fault, where rows are what is wrong.</summary>
    public long? Rows { get; init; }

    /// <summary>Key of the one bad row as a JSON object, or null.</summary>
    public string? Key { get; init; }

    /// <summary>Up to 100 keys, each a JSON object.</summary>
    public IReadOnlyList<string> Samples { get; init; } = [];

    /// <summary>Why the evidence came over ground that is not proven, or null. No repair rests on a provisional finding.</summary>
    public string? Provisional { get; init; }

    /// <summary>What a repair needs to know and a person does not read: definitions, operators, names of columns.</summary>
    public IReadOnlyDictionary<string, string> Facts { get; init; } = NoFacts;

    private static readonly IReadOnlyDictionary<string, string> NoFacts = new Dictionary<string, string>();

    /// <summary>Stable across runs for the same fault at the same place: first 16 hex digits of SHA-256.</summary>
    public string Id
    {
        get
        {
            var place = string.Join('\u001f', Target.Server, Target.Database, Fault.Id, Target.ObjectSchema ?? Target.Schema,
                Target.Object ?? Target.Relation, Target.Fork, Target.Block, Target.Offset, Target.Column, Target.Rule);
            return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(place)))[..16];
        }
    }
}
