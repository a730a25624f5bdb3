# frozen_string_literal: true

require "json"
require "socket"
require "timeout"

# A WebSocket client with just what a test needs: short frames, text only.
class Consumer
  attr_reader :status

  def initialize(port, path)
    @socket = TCPSocket.new("127.0.0.1", port)
    @socket.write("GET #{path} HTTP/1.1\r\nHost: 127.0.0.1:#{port}\r\nOrigin: http://127.0.0.1:#{port}\r\n" \
      "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" \
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: actioncable-v1-json\r\n\r\n")
    @status = Timeout.timeout(10) { @socket.readline("\r\n\r\n") }[/ (\d+) /, 1].to_i
  end

  # The next message but pings.
  def receive
    Timeout.timeout(10) do
      loop do
        message = JSON.parse(read_frame)
        return message unless message["type"] == "ping"
      end
    end
  end

  def command(command, identifier, **members)
    text = JSON.generate({ command: command, identifier: identifier, **members })
    length = text.bytesize < 126 ? [ 0x80 | text.bytesize ].pack("C") : [ 0x80 | 126, text.bytesize ].pack("Cn")
    @socket.write("\x81".b + length + "\0\0\0\0".b + text.b)
  end

  def close
    @socket.close
  end

  private
    def read_frame
      _, length = @socket.read(2).unpack("CC")
      length = @socket.read(2).unpack1("n") if length == 126
      @socket.read(length)
    end
end
