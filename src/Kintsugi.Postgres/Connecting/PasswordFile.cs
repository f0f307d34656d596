using System.Text;

namespace Kintsugi.Postgres.Connecting;

/// <summary>Finds a password in <c>~/.pgpass</c> (PostgreSQL manual, 34.16; passwordFromFile in fe-connect.c):
/// the first line <c>host:port:database:user:password</c> whose four fields match.</summary>
internal static class PasswordFile
{
    public static Secret? Find(IReadOnlyList<string> lines, string host, int port, string database, string user)
    {
        foreach (var line in lines)
        {
            if (line.StartsWith('#'))
            {
                continue;
            }

            var fields = Split(line);
            if (fields.Count >= 5
                && Matches(fields[0], host)
                && Matches(fields[1], port.ToString())
                && Matches(fields[2], database)
                && Matches(fields[3], user)
                && fields[4].Text.Length > 0)
            {
                return new(fields[4].Text);
            }
        }

        return null;
    }

    private static bool Matches((string Text, bool Escaped) field, string value) =>
        field.Text == value || (field.Text == "*" && !field.Escaped);

    private static List<(string Text, bool Escaped)> Split(string line)
    {
        var fields = new List<(string, bool)>(5);
        var field = new StringBuilder();
        var escaped = false;
        for (var i = 0; i < line.Length; i++)
        {
            if (line[i] == ':')
            {
                fields.Add((field.ToString(), escaped));
                field.Clear();
                escaped = false;
                continue;
            }

            if (line[i] == '\\' && i + 1 < line.Length)
            {
                escaped = true;
                i++;
            }

            field.Append(line[i]);
        }

        fields.Add((field.ToString(), escaped));
        return fields;
    }
}
