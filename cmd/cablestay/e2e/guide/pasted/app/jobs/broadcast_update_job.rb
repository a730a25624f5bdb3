# app/jobs/broadcast_update_job.rb

class BroadcastUpdateJob < ApplicationJob
  queue_as :realtime
  
  def perform(stream_name, message)
    ActionCable.server.broadcast(stream_name, message)
  end
end
