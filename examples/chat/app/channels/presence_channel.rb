# frozen_string_literal: true

class PresenceChannel < ApplicationCable::Channel
  def subscribed
    @organization = current_user.organization
    return reject unless @organization

    stream_from @organization.presence_broadcasting

    presence.mark_online(current_user, connection_id)
    broadcast_update presence.status_of(current_user)
    transmit({ type: "presence_list", users: presence.list })
  end

  def unsubscribed
    return unless @organization

    presence.mark_offline(current_user, connection_id)
    broadcast_update "offline" unless presence.online?(current_user)
  end

  # The client performs this now and then; who falls silent drops off the list.
  def heartbeat
    presence.mark_online(current_user, connection_id)
  end

  def update_status(data)
    return unless OrganizationPresence::STATUSES.include?(data["status"])

    presence.set_status(current_user, data["status"])
    broadcast_update data["status"]
  end

  private
    def presence
      OrganizationPresence.new(@organization)
    end

    def broadcast_update(status)
      ActionCable.server.broadcast(
        @organization.presence_broadcasting,
        {
          type: "presence_update",
          user_id: current_user.id,
          user_name: current_user.name,
          user_avatar: current_user.avatar_url,
          status: status,
          timestamp: Time.current.iso8601
        }
      )
    end
end
