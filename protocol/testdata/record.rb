# frozen_string_literal: true

# Records how stock Action Cable encodes its frames and takes its clients' commands, for transcripts_test.go:
#
#   ruby protocol/testdata/record.rb
#
# writes transcripts/rails-<version>.json with the Rails that `require "action_cable"` finds. The connection, its
# subscriptions and its channels are Rails' own; only the socket is ours, which keeps what is sent on it.

require "logger"
require "action_cable"
require "stringio"
require "json"

# A stock app has it on (config.active_support.escape_html_entities_in_json); without the railtie it is off.
ActiveSupport::JSON::Encoding.escape_html_entities_in_json = true
ActiveSupport.escape_js_separators_in_json = true if ActiveSupport.respond_to?(:escape_js_separators_in_json=)

class RecordedSocket
  attr_reader :frames, :closed

  def initialize = @frames = []
  def transmit(frame) = @frames << frame
  def close = @closed = true
  def alive? = true
  def possible? = true
  def protocol = "actioncable-v1-json"
end

class RecordedConnection < ActionCable::Connection::Base
  def websocket = @recorded_socket ||= RecordedSocket.new
end

# Every channel's name, so that any identifier will do.
class AnyChannel < ActionCable::Channel::Base
  def speak(data) = nil
end

class Recorder
  def initialize
    @log = StringIO.new
    config = ActionCable::Server::Configuration.new
    config.logger = Logger.new(@log, formatter: ->(_, _, _, message) { "#{message}\n" })
    config.cable = { "adapter" => "inline" }
    @server = ActionCable::Server::Base.new(config: config)
  end

  def connection
    RecordedConnection.new(@server, Rack::MockRequest.env_for("/cable"))
  end

  def frames(connection = self.connection)
    yield connection
    connection.websocket.frames
  end

  def frame(...) = frames(...).last

  def channel(connection, identifier) = AnyChannel.new(connection, identifier, {})

  # What Rails logs of a frame, but for the backtrace, and what it would have executed.
  def command(frame)
    @log.truncate(0)
    @log.rewind
    connection = self.connection
    executed = nil
    %i[ add remove perform_action ].zip(%w[ subscribe unsubscribe message ]).each do |method, name|
      connection.subscriptions.define_singleton_method(method) do |data|
        executed = { command: name, identifier: data["identifier"], data: data["data"] }
      end
    end
    error = begin
      connection.dispatch_websocket_message(frame)
      nil
    rescue StandardError => error # as the worker pool does, which logs it
      error.class.name
    end
    { frame: frame, executed: executed, raised: error || @log.string[/\[(\w+(?:::\w+)*) - /, 1],
      unrecognized: @log.string.include?("Received unrecognized command"), sent: connection.websocket.frames.size }
  end

  def internal(payload)
    connection = self.connection
    begin
      connection.send(:process_internal_message, ActiveSupport::JSON.decode(payload))
    rescue JSON::ParserError
      # the pub/sub thread's: the message is lost
    end
    { payload: payload, frames: connection.websocket.frames, closed: !!connection.websocket.closed }
  end
end

IDENTIFIERS = [
  '{"channel":"ChatChannel"}', '{"channel":"ChatChannel","room":1}', '{ "room" : 1, "channel" : "ChatChannel" }',
  '{"channel":"ChatChannel","html":"<b>&amp;</b>"}', '{"channel":"ChatChannel","path":"a/b\\\\c"}', '{"channel":"Zażółć gęślą jaźń 😀"}',
  "", "'", "plain", (0..0x1F).map(&:chr).join, (0x20..0x7F).map(&:chr).join, "\u0080\u009F\u00A0\u00FF", "\u2027\u2028\u2029\u202A",
  "\uFEFF\uFFFD\uFFFE\uFFFF", "\u{10FFFF}", '\u0041\n'
].freeze

MESSAGES = [
  nil, true, false, 0, -1, 9_223_372_036_854_775_807, 18_446_744_073_709_551_616, 1.5, "", "text", "<turbo-stream action=\"append\">&</turbo-stream>",
  "\u2028\u2029", "zażółć 😀 \u0000\u001F\u007F", [], [ 1, [ 2, [ nil ] ] ], {}, { "body" => "hello", "nested" => { "a" => [ { "b" => nil } ] } },
  { "key <&>" => "value" }
].freeze

COMMANDS = [
  '{"command":"subscribe","identifier":"{\"channel\":\"ChatChannel\"}"}',
  '{"command":"unsubscribe","identifier":"{\"channel\":\"ChatChannel\"}"}',
  '{"command":"message","identifier":"{\"channel\":\"ChatChannel\"}","data":"{\"action\":\"speak\"}"}',
  ' { "data" : "{}" , "identifier" : "i" , "command" : "message" } ', "\n{\"command\"\t:\r\"subscribe\",\"identifier\":\"i\"}\n",
  '{"command":"subscribe","identifier":"i","data":"ignored","more":{"a":[1,2,{"b":null}]}}',
  '{"command":"subscribe","identifier":"first","identifier":"last"}', '{"command":"bogus","command":"subscribe","identifier":"i"}',
  '{"command":"subscribe","command":"bogus","identifier":"i"}', '{"identifier":"i","command":"subscribe","identifier":5}',
  '{"Command":"subscribe","identifier":"i"}', '{"command":"Subscribe","identifier":"i"}', '{"command":"subscribe ","identifier":"i"}',
  '{"COMMAND":"bogus","command":"subscribe","identifier":"i","Identifier":"j"}', '{"\u0063ommand":"\u0073ubscribe","identifier":"\u0069"}',
  '{"command":"subscribe","identifier":"\"\\\\\/\b\f\n\r\t\u00e9\ud83d\ude00\u2028<>&"}', '{"command":"subscribe","identifier":"żółć 😀"}',
  '{"command":"subscribe","identifier":""}', '{"command":"message","identifier":"i","data":""}', '{"command":"message","identifier":"i","data":"not JSON"}',
  '{"command":"message","identifier":"i","data":"\"text\""}', '{"command":"message","identifier":"i"}', '{"command":"message","identifier":"i","data":{"action":"speak"}}',
  '{"command":"message","identifier":"i","data":null}', '{"command":"message","data":"{}"}', '{"command":"subscribe"}', '{"command":"subscribe","identifier":5}',
  '{"command":"subscribe","identifier":{"channel":"ChatChannel"}}', '{"command":"subscribe","identifier":null}', '{"command":"unsubscribe"}',
  '{"command":"bogus","identifier":"i"}', '{"command":null,"identifier":"i"}', '{"command":5}', '{"command":["subscribe"],"identifier":"i"}', '{"identifier":"i"}', "{}",
  "", " ", "nonsense", "{", '{"command":"subscribe","identifier":"i"', '{"command":"subscribe","identifier":"i"}}', '{"command":"subscribe",}', "{'command':'subscribe'}",
  '{"command":"subscribe" "identifier":"i"}', '{"command":"subscribe","identifier":"i","x":NaN}', '{"command":"subscribe","identifier":"i","x":01}',
  '{"command":"subscribe","identifier":"i","x":tru}', '{"command":"subscribe","identifier":"i","x":-0.5e+10}', "{\"command\":\"subscribe\",\"identifier\":\"a\tb\"}",
  '{"command":"subscribe","identifier":"\ud800"}', "5", "1.5", "true", "null", "[]", "[1]", '["subscribe"]', '"abc"', '"command"',
  "{\"command\":\"subscribe\",\"identifier\":\"i\",\"x\":#{"[" * 99}#{"]" * 99}}", "{\"command\":\"subscribe\",\"identifier\":\"i\",\"x\":#{"[" * 100}#{"]" * 100}}"
].freeze

INTERNAL = [
  '{"type":"disconnect"}', '{"type":"disconnect","reconnect":true}', '{"type":"disconnect","reconnect":false}', '{"reconnect":false,"type":"disconnect"}',
  '{"type":"disconnect","reconnect":null}', '{"type":"disconnect","reconnect":0}', '{"type":"disconnect","reconnect":"no"}', '{"type":"disconnect","reconnect":{"a":[1]}}',
  '{"type":"disconnect","reconnect":true,"reconnect":false}', '{"type":"other","type":"disconnect"}', '{"type":"disconnect","type":"other"}', '{"\u0074ype":"\u0064isconnect"}',
  ' { "type" : "disconnect" , "more" : 1 } ', '{"type":"other"}', '{"type":"Disconnect"}', '{"Type":"disconnect"}', '{"type":null}', '{"type":5}', '{"type":["disconnect"]}', "{}",
  "[]", '["type"]', "5", "1.5", "true", "false", "null", '"text"', '"type"', '"disconnect"', "", "nonsense", "{", '{"type":"disconnect"}}', "NaN"
].freeze

recorder = Recorder.new
transcript = {
  rails: ActionCable.version.to_s,
  ruby: RUBY_VERSION,
  json: JSON::VERSION,
  welcome: recorder.frame { |connection| connection.send(:send_welcome_message) },
  ping: JSON.generate(JSON.parse(recorder.frame(&:beat)).merge("message" => 1_700_000_000)),
  subscriptions: IDENTIFIERS.map do |identifier|
    { identifier: identifier,
      confirmation: recorder.frame { |connection| recorder.channel(connection, identifier).send(:transmit_subscription_confirmation) },
      rejection: recorder.frame { |connection| recorder.channel(connection, identifier).send(:transmit_subscription_rejection) },
      message: recorder.frame { |connection| recorder.channel(connection, identifier).send(:transmit, { "a" => 1 }) } }
  end,
  # As a stream brings them: encoded to be published, decoded and encoded to be transmitted.
  messages: MESSAGES.map do |message|
    payload = ActiveSupport::JSON.encode(message)
    { payload: payload, frame: recorder.frame { |connection| recorder.channel(connection, IDENTIFIERS.first).send(:transmit, ActiveSupport::JSON.decode(payload)) } }
  end,
  disconnects: [ [ "unauthorized", false ], [ "server_restart", true ], [ "remote", true ], [ "invalid_request", true ], [ nil, true ], [ "<&>", false ] ].map do |reason, reconnect|
    { reason: reason, reconnect: reconnect, frame: recorder.frame { |connection| connection.close(reason: reason, reconnect: reconnect) } }
  end,
  commands: COMMANDS.map { |frame| recorder.command(frame) },
  internal: INTERNAL.map { |payload| recorder.internal(payload) }
}

directory = File.join(__dir__, "transcripts")
Dir.mkdir(directory) unless Dir.exist?(directory)
path = File.join(directory, "rails-#{ActionCable.version.segments.first(2).join(".")}.json")
File.write(path, "#{JSON.pretty_generate(transcript)}\n")
puts path
