# frozen_string_literal: true

# The figures on a user's dashboard.
class WorkspaceStats
  def initialize(user)
    @user = user
  end

  def as_json(*)
    {
      messages_today: messages.where("messages.created_at >= ?", Time.current.beginning_of_day).count,
      messages: messages.count,
      rooms: @user.chat_rooms.count,
      updated_at: Time.current.iso8601
    }
  end

  private
    def messages
      Message.where(chat_room_id: @user.chat_rooms.select(:id))
    end
end
