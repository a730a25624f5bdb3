# frozen_string_literal: true

# Has nothing to do when it ends.
class PlainConnection < ActionCable::Connection::Base
  identified_by :device

  def connect
    self.device = request.params[:device]
  end

  def journal(event, details = {})
    Journal.record({ event: event, device: device }.merge(details))
  end
end
