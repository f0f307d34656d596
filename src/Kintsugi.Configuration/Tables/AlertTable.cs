using Kintsugi.Configuration.Shapes;

namespace Kintsugi.Configuration.Tables;

/// <summary><c>alerts:</c></summary>
internal static class AlertTable
{
    private static readonly Key<string> Name = new("name", Is.Text, "The name of the receiver in logs and tests.", required: true);
    private static readonly Key<Severity> Least = new("severity", RepairTable.Severities, "The least severity that is sent.", Severity.Info);
    private static readonly Key<Secret?> Webhook = new("webhook", SecretText.Any!, "A URL that gets every alert as JSON.");
    private static readonly Key<Secret?> Signing = new("secret", SecretText.Any!, "Signs the webhook's body (HMAC-SHA256).");
    private static readonly Key<Secret?> Slack = new("slack", SecretText.Any!, "The URL of a Slack incoming webhook.");
    private static readonly Key<Secret?> PagerDuty = new("pagerduty", SecretText.Any!, "The routing key of a PagerDuty Events v2 integration.");
    private static readonly Key<Uri?> Alertmanager = new("alertmanager", Is.Url!, "The URL of a Prometheus Alertmanager.");
    private static readonly Key<EmailSettings?> Email = new("email", EmailTable.Shape!, "E-mail.");
    private static readonly Key<bool> Log = new("log", Is.Flag, "Whether alerts go to Kintsugi's own log.");

    private static readonly Mapping<Receiver> ReceiverShape = new(
        [Name, Least, Webhook, Signing, Slack, PagerDuty, Alertmanager, Email, Log], BuildReceiver);

    private static readonly Key<IReadOnlyList<Receiver>> Receivers = new(
        "receivers", new Listing<Receiver>(ReceiverShape, "receiver", receiver => receiver.Name), "Where alerts go.", []);
    private static readonly Key<long> OrphanedRows = new(
        "orphaned_rows_warning", Is.Count(0), "More orphaned rows than this raise a warning.", 1000);

    private static readonly Key<Secret?> DeadMan = new(
        "dead_man", SecretText.Any!, "A URL that is called after each finished look, for a watcher that shouts when it hears nothing.");

    public static readonly Mapping<AlertConfiguration> Shape = new(
        [Receivers, OrphanedRows, DeadMan],
        values =>
        {
            if (values.Get(DeadMan) is { } url)
            {
                RefuseNoUrl(values, DeadMan, url);
            }

            return new(values.Get(Receivers), values.Get(OrphanedRows), values.Get(DeadMan));
        });

    private static Receiver BuildReceiver(GivenValues values)
    {
        var (name, least) = (values.Get(Name), values.Get(Least));
        Key[] ways = [Webhook, Slack, PagerDuty, Alertmanager, Email, Log];
        if (ways.Count(values.Has) != 1 || (values.Has(Log) && !values.Get(Log)))
        {
            values.Mistake("give exactly one of webhook, slack, pagerduty, alertmanager, email, log: true");
        }

        if (values.Has(Signing) && !values.Has(Webhook))
        {
            values.Mistake(Signing, "only a webhook is signed; remove secret");
        }

        if (values.Get(Webhook) is { } webhook)
        {
            RefuseNoUrl(values, Webhook, webhook);
            return new Receiver.Webhook(name, least, webhook, values.Get(Signing));
        }

        if (values.Get(Slack) is { } slack)
        {
            RefuseNoUrl(values, Slack, slack);
            return new Receiver.Slack(name, least, slack);
        }

        return values.Get(PagerDuty) is { } key ? new Receiver.PagerDuty(name, least, key)
            : values.Get(Alertmanager) is { } url ? new Receiver.Alertmanager(name, least, url)
            : values.Get(Email) is { } email ? new Receiver.Email(name, least, email)
            : new Receiver.Log(name, least);
    }

    private static void RefuseNoUrl(GivenValues values, Key key, Secret url)
    {
        if (!Uri.TryCreate(url.Reveal(), UriKind.Absolute, out var parsed) || parsed.Scheme is not ("http" or "https"))
        {
            values.Mistake(key, "this is not a URL; it begins with https:// or http://");
        }
    }
}

internal static class EmailTable
{
    private static readonly Key<IReadOnlyList<string>> To = new("to", new Listing<string>(Is.Text), "The addresses.", required: true);
    private static readonly Key<string> From = new("from", Is.Text, "The sender's address.", required: true);
    private static readonly Key<string> Server = new("server", Is.Text, "host:port of the mail server.", required: true);
    private static readonly Key<string?> User = new("user", Is.Text!, "The user at the mail server.");
    private static readonly Key<Secret?> Password = new("password", SecretText.Any!, "The user's password.");

    public static readonly Mapping<EmailSettings> Shape = new(
        [To, From, Server, User, Password],
        values =>
        {
            if (values.Has(User) != values.Has(Password))
            {
                values.Mistake("user and password go together; give both or neither");
            }

            if (values.Get(To).Count == 0)
            {
                values.Mistake(To, "name at least one address");
            }

            return new(values.Get(To), values.Get(From), values.Get(Server), values.Get(User), values.Get(Password));
        });
}
