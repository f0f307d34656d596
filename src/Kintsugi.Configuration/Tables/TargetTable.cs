using Kintsugi.Configuration.Shapes;
using Kintsugi.Rules;

namespace Kintsugi.Configuration.Tables;

/// <summary><c>targets:</c></summary>
internal static class TargetTable
{
    /// <summary>Names that appear in results and on the command line.</summary>
    public const string OnlyTarget = "main";

    public static readonly Shape<IReadOnlyList<string>> Patterns = new Listing<string>(Is.Text, "pattern", pattern => pattern);

    public static readonly Shape<Mode> ModeShape = Is.OneOf(("observe", Mode.Observe), ("heal", Mode.Heal));

    private static readonly Key<string> Name = new(
        "name", Is.Text, "How the target is called in results and with --target.", required: true);
    private static readonly Key<Secret?> Connection = new(
        "connection", SecretText.Any!, "A connection URI or keyword string, or { file: … }, { env: … }.", required: true);
    private static readonly Key<Secret?> Password = new(
        "password", SecretText.Any!, "The password, when it is kept apart from the connection.");
    private static readonly Key<IReadOnlyList<string>> Databases = new(
        "databases", Patterns, "Which databases: patterns as in psql.", ["*"]);
    private static readonly Key<string?> DataDirectory = new(
        "data_directory", Is.Path!, "The server's data directory, when its files can be read from here.");
    private static readonly Key<Mode?> TargetMode = new(
        "mode", new Lifted<Mode>(ModeShape), "observe or heal, for this target.");
    private static readonly Key<PolicyConfiguration?> Policy = new(
        "policy", PolicyTable.Shape!, "What may happen without a person, for this target instead of the root's.");
    private static readonly Key<ConsistencyRules?> Consistency = new(
        "consistency", ConsistencyTable.Shape!, "The owner's rules, for this target instead of the root's.");

    private static readonly Mapping<TargetSection> Section = new(
        [Name, Connection, Password, Databases, DataDirectory, TargetMode, Policy, Consistency],
        values => new(
            values.Get(Name), values.Get(Connection), values.Get(Password), values.Get(Databases), values.Get(DataDirectory),
            values.Get(TargetMode), values.Get(Policy), values.Get(Consistency)));

    public static readonly Listing<TargetSection> Shape = new(Section, "target", section => section.Name);
}

internal sealed record TargetSection(
    string Name,
    Secret? Connection,
    Secret? Password,
    IReadOnlyList<string> Databases,
    string? DataDirectory,
    Mode? Mode,
    PolicyConfiguration? Policy,
    ConsistencyRules? Consistency);
